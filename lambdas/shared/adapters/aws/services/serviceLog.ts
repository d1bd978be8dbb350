import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import { parseServiceVersion, type ServiceLogLine, type ServiceLogQuery } from '../../../../../contract/services.ts';
import type { LogCalls } from '../clients.ts';

/** Pages of one read: a follower asks again, and nobody waits for a day of another deployment's lines. */
const MAX_PAGES = 20;
/** How far back the last lines are looked for. */
const LOOK_BACK_MS = 3 * 24 * 3_600_000;
/** Lambda's own lines. */
const OF_LAMBDA = /^(START|END|REPORT|INIT_START|INIT_REPORT|EXTENSION|XRAY) /;

export async function ensureLogGroup(logs: LogCalls, logGroupName: string, retentionInDays: number): Promise<void> {
  const { CreateLogGroupCommand, PutRetentionPolicyCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  try {
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
  } catch (error) {
    if ((error as Error).name !== 'ResourceAlreadyExistsException') throw error;
  }
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
}

export async function removeLogGroup(logs: LogCalls, logGroupName: string): Promise<void> {
  const { DeleteLogGroupCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  try {
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
  }
}

/** The number of the function's version in the name of a stream: `2026/11/28/[7]0123…`, with the function's name before it or not. */
const versionOf = (stream = ''): string => /\[(\d+)\][0-9a-f]+$/.exec(stream)?.[1] ?? '';

/** The deployment in the name of a task's stream: `01k…-3/backend/0123…`. */
const deploymentOf = (stream = ''): string | undefined =>
  parseServiceVersion(/^([^/]+)\/[^/]+\/[0-9a-f]+$/.exec(stream)?.[1] ?? '')?.deploymentId;

export interface LogReading {
  readonly logGroupName: string;
  /** Deployments by number of the function's version. */
  readonly deployments: ReadonlyMap<string, string>;
  readonly now: number;
}

/**
 * Lines of a project's services that fit a query. A line's `seq` is its time and CloudWatch's id of it, both of which grow;
 * Lambda writes both of a process's streams into one, so all of them count as `stdout`, and its own as `system`.
 */
export async function readServiceLog(
  logs: LogCalls,
  { logGroupName, deployments, now }: LogReading,
  query: Omit<ServiceLogQuery, 'follow'>,
): Promise<ServiceLogLine[]> {
  const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const [afterTime = '', afterId = ''] = (query.after ?? '').split('-');
  const since = query.since ? Date.parse(query.since) : 0;
  const startTime =
    query.after === undefined ? Math.max(since, now - LOOK_BACK_MS) : Math.max(since, Number(afterTime));
  const found: ServiceLogLine[] = [];
  let nextToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await logs.send(
      new FilterLogEventsCommand({ logGroupName, startTime, ...(nextToken !== undefined && { nextToken }) }),
    );
    for (const event of page.events ?? []) {
      const line = toLine(event, deployments);
      if (line && fits(line, query) && (query.after === undefined || isAfter(line.seq, afterTime, afterId)))
        found.push(line);
    }
    // Only the last lines count without a place to continue from.
    if (query.after === undefined && found.length > query.limit) found.splice(0, found.length - query.limit);
    nextToken = page.nextToken;
    if (nextToken === undefined || (query.after !== undefined && found.length >= query.limit)) break;
  }
  return query.after === undefined ? found.slice(-query.limit) : found.slice(0, query.limit);
}

function isAfter(seq: string, time: string, id: string): boolean {
  const [lineTime = '', lineId = ''] = seq.split('-');
  return lineTime === time ? lineId > id : Number(lineTime) > Number(time);
}

const fits = (line: ServiceLogLine, { deployment, stream, since }: Omit<ServiceLogQuery, 'follow'>): boolean =>
  (deployment === undefined || line.deploymentId === deployment) &&
  (stream === undefined || line.stream === stream) &&
  (since === undefined || Date.parse(line.at) >= Date.parse(since));

function toLine(event: FilteredLogEvent, deployments: ReadonlyMap<string, string>): ServiceLogLine | null {
  const { timestamp = 0, eventId = '', message = '', logStreamName } = event;
  const deploymentId = deployments.get(versionOf(logStreamName)) ?? deploymentOf(logStreamName);
  if (deploymentId === undefined) return null;
  const line = message.replace(/\r?\n$/, '');
  return {
    seq: `${timestamp}-${eventId}`,
    at: new Date(timestamp).toISOString(),
    deploymentId,
    stream: OF_LAMBDA.test(line) ? 'system' : 'stdout',
    line,
  };
}
