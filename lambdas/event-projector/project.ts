import type { MSKEvent, MSKRecord } from 'aws-lambda';
import { type DeploymentEvent, DeploymentEventSchema, type LogBatch, LogBatchSchema } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import type { LogEntry } from '../shared/ports.ts';
import { type EffectDeps, settle } from './effects.ts';

/** What could not be read, with where it was: for an operator to look at and replay. */
export interface Poison {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
  readonly reason: string;
}

export interface ProjectorDeps extends EffectDeps {
  /** Keeps a poison message where an operator finds it. */
  readonly park: (poison: Poison) => Promise<void>;
}

export interface BatchResult {
  /** `partition` is `<topic>-<number>`. Source: Lambda developer guide, "Configuring error handling controls for Kafka". */
  readonly batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[];
}

/**
 * Folds a batch of the Kafka event source. Records of one partition are handled in order. A malformed record is parked
 * and acknowledged, since no repeat would cure it; at a transient fault the rest of its partition is given back.
 */
export async function project(deps: ProjectorDeps, event: Pick<MSKEvent, 'records'>): Promise<BatchResult> {
  const failures = await Promise.all(Object.values(event.records).map((records) => projectPartition(deps, records)));
  return { batchItemFailures: failures.flat() };
}

async function projectPartition(deps: ProjectorDeps, records: readonly MSKRecord[]) {
  const runs = groupRuns(await parse(deps, records));
  for (const run of runs) {
    try {
      await (run.kind === 'events' ? foldEvents(deps, run.events) : appendLines(deps, run.batches));
    } catch (e) {
      deps.log('a batch could not be projected and is given back', e);
      const { topic, partition, offset } = run.first;
      return [{ itemIdentifier: { partition: `${topic}-${partition}`, offset } }];
    }
  }
  return [];
}

type Parsed = { record: MSKRecord } & (
  | { kind: 'events'; message: DeploymentEvent }
  | { kind: 'logs'; message: LogBatch }
);

async function parse(deps: ProjectorDeps, records: readonly MSKRecord[]): Promise<Parsed[]> {
  const parsed: Parsed[] = [];
  for (const record of records) {
    const text = Buffer.from(record.value ?? '', 'base64').toString();
    try {
      const json: unknown = JSON.parse(text);
      if (record.topic === TOPICS.events)
        parsed.push({ record, kind: 'events', message: DeploymentEventSchema.parse(json) });
      else if (record.topic === TOPICS.logs) parsed.push({ record, kind: 'logs', message: LogBatchSchema.parse(json) });
      else throw new Error(`unknown topic ${record.topic}`);
    } catch (e) {
      const { topic, partition, offset } = record;
      deps.log(`message ${topic}/${partition}@${offset} is malformed and was parked`);
      await deps.park({ topic, partition, offset, value: text, reason: (e as Error).message });
    }
  }
  return parsed;
}

type Run = { first: MSKRecord; deploymentId: string } & (
  | { kind: 'events'; events: DeploymentEvent[] }
  | { kind: 'logs'; batches: LogBatch[] }
);

/** Neighbours that belong to one deployment and topic are handled as one: one read and write of its state. */
function groupRuns(parsed: readonly Parsed[]): Run[] {
  const runs: Run[] = [];
  for (const { record, kind, message } of parsed) {
    const { deploymentId } = message;
    const last = runs.at(-1);
    if (kind === 'events') {
      if (last?.kind === 'events' && last.deploymentId === deploymentId) last.events.push(message);
      else runs.push({ first: record, deploymentId, kind, events: [message] });
    } else if (last?.kind === 'logs' && last.deploymentId === deploymentId) last.batches.push(message);
    else runs.push({ first: record, deploymentId, kind, batches: [message] });
  }
  return runs;
}

async function foldEvents(deps: ProjectorDeps, events: readonly DeploymentEvent[]): Promise<void> {
  const { deploymentId } = events[0] as DeploymentEvent;
  const folded = await deps.store.fold(deploymentId, events);
  // A deployment that nobody requested: its request goes first under the same key, so this is not one of ours.
  if (!folded) return;
  await settle(deps, folded.before, folded.after);
}

async function appendLines(deps: ProjectorDeps, batches: readonly LogBatch[]): Promise<void> {
  const { deploymentId } = batches[0] as LogBatch;
  const entries = batches.flatMap(({ target, attempt, first, lines }) =>
    lines.map((line, i): LogEntry => ({ ...line, target, attempt, n: first + i })),
  );
  await deps.logs.append(deploymentId, entries);
  const stored = await deps.store.get(deploymentId);
  // Lines that come after the end: the archive is written anew with them.
  if (stored && isTerminal(stored.record.status)) {
    await deps.archiveLog(deploymentId);
    await deps.logs.wake(deploymentId);
  }
}
