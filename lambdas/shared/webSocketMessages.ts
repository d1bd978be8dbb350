import { TARGETS, type Target } from '../../contract/builders.ts';
import type { BuildRecord, DeploymentRecord, Failure } from '../../contract/record.ts';
import type { ServerMessage } from '../../contract/websocket.ts';

/** API Gateway refuses messages over 128 KB; some room is left for what it adds. */
export const MAX_MESSAGE_BYTES = 120 * 1024;

type Snapshot = Extract<ServerMessage, { type: 'snapshot' }>;
type Subject = Pick<Snapshot, 'deploymentId' | 'projectId'>;

/** The snapshot of one deployment: its whole record, where that fits. */
export const deploymentSnapshot = (deploymentId: string, record: DeploymentRecord): string =>
  fitRecord(record, (r, shortened) => ({
    type: 'snapshot',
    deploymentId,
    records: [r],
    ...(shortened && { shortened }),
  }));

/** A record that has changed. */
export const deploymentMessage = (record: DeploymentRecord): string =>
  fitRecord(record, (r, shortened) => ({ type: 'deployment', record: r, ...(shortened && { shortened }) }));

/** Splits a list into messages that fit, in order; all but the last have `more`. */
export function listSnapshot(subject: Subject, records: readonly DeploymentRecord[]): string[] {
  const pages: DeploymentRecord[][] = [[]];
  const snapshotMessage = (page: DeploymentRecord[], more: boolean): Snapshot => ({
    type: 'snapshot',
    ...subject,
    records: page,
    ...(more && { more }),
  });
  for (const record of records.map(summaryOf)) {
    const page = pages.at(-1)!;
    if (page.length > 0 && bytesOf(snapshotMessage([...page, record], true)) > MAX_MESSAGE_BYTES) pages.push([record]);
    else page.push(record);
  }
  return pages.map((page, i) => JSON.stringify(snapshotMessage(page, i < pages.length - 1)));
}

/**
 * A record as lists show it: without the output of commands and the plan's evidence, so that one always fits a message.
 */
export function summaryOf(record: DeploymentRecord): DeploymentRecord {
  const short = withoutReasons(withoutOutput(record));
  return bytesOf(short) > MAX_MESSAGE_BYTES - 1_024 ? withoutPlan(short) : short;
}

/** The message with as much of the record as fits: first the output of commands goes, then the plan's reasons, then the plan. */
function fitRecord(
  record: DeploymentRecord,
  message: (record: DeploymentRecord, shortened: boolean) => ServerMessage,
): string {
  const whole = JSON.stringify(message(record, false));
  if (Buffer.byteLength(whole) <= MAX_MESSAGE_BYTES) return whole;
  const steps = [withoutOutput, withoutReasons, withoutPlan];
  let short = record;
  for (const step of steps) {
    short = step(short);
    const text = JSON.stringify(message(short, true));
    if (Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return text;
  }
  return JSON.stringify(message(withShortTexts(short), true));
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

const withoutLines = ({ lastLines: _, ...failure }: Failure): Failure => failure;

const mapBuilds = (record: DeploymentRecord, change: (build: BuildRecord) => BuildRecord): DeploymentRecord => ({
  ...record,
  builds: Object.fromEntries(
    TARGETS.flatMap((target: Target) => {
      const build = record.builds[target];
      return build ? [[target, change(build)]] : [];
    }),
  ),
});

const withoutOutput = (record: DeploymentRecord): DeploymentRecord => ({
  ...mapBuilds(record, (build) => ({ ...build, ...(build.error && { error: withoutLines(build.error) }) })),
  ...(record.error && { error: withoutLines(record.error) }),
});

function withoutReasons(record: DeploymentRecord): DeploymentRecord {
  if (!record.plan) return record;
  const plan = { ...record.plan, candidates: [], warnings: [] };
  for (const target of TARGETS) {
    const planned = plan[target];
    if (planned) plan[target] = { ...planned, evidence: [] };
  }
  return { ...record, plan };
}

const withoutPlan = (record: DeploymentRecord): DeploymentRecord => ({ ...record, plan: null });

/** Error messages quote programs, whose output has no limit of its own. */
const withShortTexts = (record: DeploymentRecord): DeploymentRecord => {
  const cutFailure = (failure: Failure): Failure => ({ ...failure, message: failure.message.slice(0, 2_000) });
  return {
    ...mapBuilds(record, (build) => ({ ...build, ...(build.error && { error: cutFailure(build.error) }) })),
    ...(record.error && { error: cutFailure(record.error) }),
  };
};
