import { CRON_API_ID } from '../../../../../contract/serviceAdapter.ts';
import { CRON_HEADER, type Cron } from '../../../../../contract/services.ts';
import type { SchedulerCalls } from '../clients.ts';
import { awsSchedules } from './cronExpression.ts';
import type { ServiceNames } from './resourceNames.ts';

export interface ScheduleTarget {
  /** The alias of production, which moves with it. */
  readonly aliasArn: string;
  /** What EventBridge Scheduler calls it with. */
  readonly roleArn: string;
}

/** Makes the schedules of a project these and no others. May be repeated. */
export async function writeSchedules(
  scheduler: SchedulerCalls,
  names: ServiceNames,
  projectId: string,
  crons: readonly Cron[],
  target: ScheduleTarget,
): Promise<void> {
  const { CreateScheduleCommand, DeleteScheduleCommand, UpdateScheduleCommand } = await import(
    '@aws-sdk/client-scheduler'
  );
  const GroupName = names.scheduleGroup;
  const wanted = crons.flatMap(({ schedule, path }) =>
    awsSchedules(schedule).map((expression) => ({ expression, path })),
  );
  const kept = new Set<string>();
  for (const [i, { expression, path }] of wanted.entries()) {
    const Name = `${names.schedulePrefix(projectId)}--${i}`;
    kept.add(Name);
    const input = {
      Name,
      GroupName,
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' as const },
      Target: {
        Arn: target.aliasArn,
        RoleArn: target.roleArn,
        Input: JSON.stringify(cronEvent(path)),
        // The next call by schedule comes anyway; a late one surprises.
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    };
    try {
      await scheduler.send(new CreateScheduleCommand(input));
    } catch (error) {
      if ((error as Error).name !== 'ConflictException') throw error;
      await scheduler.send(new UpdateScheduleCommand(input));
    }
  }
  for (const Name of await listSchedules(scheduler, names, projectId)) {
    if (kept.has(Name)) continue;
    try {
      await scheduler.send(new DeleteScheduleCommand({ Name, GroupName }));
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    }
  }
}

async function listSchedules(scheduler: SchedulerCalls, names: ServiceNames, projectId: string): Promise<string[]> {
  const { ListSchedulesCommand } = await import('@aws-sdk/client-scheduler');
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await scheduler.send(
      new ListSchedulesCommand({
        GroupName: names.scheduleGroup,
        // No id of a project holds `--`, so another project's schedules do not begin with this.
        NamePrefix: `${names.schedulePrefix(projectId)}--`,
        ...(NextToken && { NextToken }),
      }),
    );
    found.push(...(page.Schedules ?? []).map(({ Name = '' }) => Name));
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** A request as a function URL would give it to the adapter. Source: Lambda developer guide, "Request payload format". */
function cronEvent(path: string) {
  const [rawPath = '/', rawQueryString = ''] = path.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { [CRON_HEADER]: 'true', host: 'localhost', 'content-length': '0' },
    requestContext: {
      accountId: 'anonymous',
      apiId: CRON_API_ID,
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: { method: 'POST', path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: CRON_API_ID },
      requestId: '<aws.scheduler.execution-id>',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/1970:00:00:00 +0000',
      timeEpoch: 0,
    },
    body: '',
    isBase64Encoded: false,
  };
}
