import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { DeploymentEvent } from '../../contract/events.ts';
import { isTerminal } from '../../contract/record.ts';
import { type DeploymentFacts, emptyFacts } from '../domain/facts.ts';
import { reduceEvent } from '../domain/reduce.ts';
import { type LogFields, withLogFields } from '../shared/logger.ts';
import type { Clock, LogEntry } from '../shared/ports.ts';
import type { Signing } from '../shared/signing.ts';
import {
  type ArtifactPlace,
  MAX_CLOCK_SKEW_MS,
  type Refusal,
  refusalOfBuilderEvent,
  refusalOfLines,
  refusalOfPlatformEvent,
  refusalOfUnsigned,
} from './admit.ts';
import { applyRecordEffects, type EffectDeps } from './effects.ts';
import type { Delivery, GiveUp } from './giveUp.ts';
import { type ReceivedMessage, rawMessage, readMessage } from './readMessage.ts';
import { isOfEarlierVersion } from './unsigned.ts';

/** A message that could not be read, with its position, for an operator to inspect and replay. */
export interface Poison {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
  readonly reason: string;
}

/** A message that was dropped because its writer, subject or time is not allowed. */
export interface Refused {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly deploymentId?: string;
}

export interface ProjectorDeps extends EffectDeps {
  readonly clock: Clock;
  /** The secret from which the keys of all messages are derived. */
  readonly signing: () => Promise<Signing>;
  readonly place: ArtifactPlace;
  /** How far clocks of builders may be off. Default: `MAX_CLOCK_SKEW_MS`. */
  readonly maxClockSkewMs?: number;
  /** Counts dropped messages. They are not stored, since a forger could fill the bucket. */
  readonly refuse: (refused: Refused) => void;
  /** Keeps a poison message where an operator finds it. */
  readonly park: (poison: Poison) => Promise<void>;
  /** Where nobody else limits the tries of a message. @default - every failure is given back */
  readonly giveUp?: GiveUp | undefined;
}

export interface BatchResult {
  /** `partition` is `<topic>-<number>`. Source: Lambda developer guide, "Configuring error handling controls for Kafka". */
  readonly batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[];
}

/**
 * Folds a batch of the Kafka event source. Records of one partition are handled in order. A message whose writer is not
 * proved is dropped and counted. A malformed message of the platform is parked and acknowledged, since no repeat would
 * cure it; after a transient fault the rest of its partition is returned, to be delivered again.
 */
export async function projectBatch(deps: ProjectorDeps, event: Pick<MSKEvent, 'records'>): Promise<BatchResult> {
  const failures = await Promise.all(Object.values(event.records).map((records) => projectPartition(deps, records)));
  return { batchItemFailures: failures.flat() };
}

async function projectPartition(deps: ProjectorDeps, records: readonly MSKRecord[]) {
  const first = records[0];
  if (!first) return [];
  // The first message that is not done yet.
  let next: MSKRecord = first;
  try {
    const delivery = await deps.giveUp?.(records.map((r) => ({ poison: poisonOf(r), sentAt: r.timestamp })));
    const received = await readRecords(deps, records);
    for (const run of groupRuns(received.filter(({ record }) => !delivery?.isParked(record.offset)))) {
      next = (run[0] as Received).record;
      await withLogFields(fieldsOf(run), () => projectOrGiveUp(deps, run, delivery));
    }
    return [];
  } catch (error) {
    const { topic, partition, offset } = next;
    deps.log.error('A batch could not be projected and is given back', { topic, partition, offset, error });
    return [{ itemIdentifier: { partition: `${topic}-${partition}`, offset } }];
  }
}

type Received = ReceivedMessage & { readonly record: MSKRecord };

async function projectOrGiveUp(deps: ProjectorDeps, run: readonly Received[], delivery?: Delivery): Promise<void> {
  if (!delivery) return projectRun(deps, run);
  const alone = run.map((one) => ({ offset: one.record.offset, project: () => projectRun(deps, [one]) }));
  return delivery.project(alone, () => projectRun(deps, run));
}

function poisonOf(record: MSKRecord): Omit<Poison, 'reason'> {
  const { topic, partition, offset } = record;
  return { topic, partition, offset, value: rawMessage(record).value.toString() };
}

async function readRecords(deps: ProjectorDeps, records: readonly MSKRecord[]): Promise<Received[]> {
  const signing = await deps.signing();
  const received: Received[] = [];
  for (const record of records) {
    const { topic, partition, offset } = record;
    const raw = rawMessage(record);
    const message = readMessage(raw, signing, deps.clock.now());
    if (message.kind === 'refused') {
      const { reason, deploymentId } = message;
      deps.refuse({ topic, partition, offset, reason, ...(deploymentId !== undefined && { deploymentId }) });
    } else if (message.kind === 'malformed') {
      deps.log.error('A malformed message was parked', { topic, partition, offset, reason: message.reason });
      await deps.park({ ...poisonOf(record), reason: message.reason });
    } else received.push({ ...message, record });
  }
  return received;
}

/** Neighbours that belong to one deployment are handled as one: one read and write of its state. */
function groupRuns(received: readonly Received[]): Received[][] {
  const runs: Received[][] = [];
  for (const one of received) {
    const last = runs.at(-1);
    if (last?.[0]?.message.deploymentId === one.message.deploymentId) last.push(one);
    else runs.push([one]);
  }
  return runs;
}

/** Log fields for a run of messages: their deployment, and its correlation id where one of the messages has it. */
function fieldsOf(run: readonly Received[]): LogFields {
  const { deploymentId, projectId } = (run[0] as Received).message;
  const correlationId = run
    .map(({ message }) => ('lines' in message ? undefined : message.correlationId))
    .find(Boolean);
  return { correlationId, deploymentId, projectId };
}

async function projectRun(deps: ProjectorDeps, run: readonly Received[]): Promise<void> {
  const [signing, stored] = await Promise.all([
    deps.signing(),
    deps.store.get((run[0] as Received).message.deploymentId),
  ]);
  let facts = stored?.facts ?? emptyFacts;
  const events: DeploymentEvent[] = [];
  const entries: LogEntry[] = [];
  for (const received of run) {
    const reason = refusalOf(deps, received, facts, signing);
    if (reason) {
      const { topic, partition, offset } = received.record;
      deps.refuse({ topic, partition, offset, reason, deploymentId: received.message.deploymentId });
    } else if ('lines' in received.message) {
      const { target, attempt, first, lines } = received.message;
      entries.push(...lines.map((line, i): LogEntry => ({ ...line, target, attempt, n: first + i })));
    } else {
      events.push(received.message);
      facts = reduceEvent(facts, received.message);
    }
  }
  if (events.length > 0) await foldEvents(deps, events);
  if (entries.length > 0) await appendLines(deps, (run[0] as Received).message.deploymentId, entries);
}

function refusalOf(deps: ProjectorDeps, received: ReceivedMessage, facts: DeploymentFacts, signing: Signing): Refusal {
  const { requested } = facts;
  const time = { now: deps.clock.now(), maxSkewMs: deps.maxClockSkewMs ?? MAX_CLOCK_SKEW_MS };
  switch (received.kind) {
    case 'platform':
      return refusalOfPlatformEvent(received.message, requested);
    case 'builder':
      return refusalOfBuilderEvent(received.message, facts, time, deps.place);
    case 'logs':
      return refusalOfLines(received.message, requested, time);
    case 'unsigned':
    case 'unsigned logs': {
      if (!requested || !isOfEarlierVersion(signing, requested.at)) return 'it is not signed';
      if (received.kind === 'unsigned logs') return refusalOfLines(received.message, requested, time);
      return refusalOfUnsigned(received.message, facts, time, deps.place);
    }
  }
}

async function foldEvents(deps: ProjectorDeps, events: readonly DeploymentEvent[]): Promise<void> {
  const { deploymentId } = events[0] as DeploymentEvent;
  const folded = await deps.store.fold(deploymentId, events);
  // No request was seen for this deployment. Its request would come first under the same key, so this is not one of
  // ours.
  if (!folded) return;
  await applyRecordEffects(deps, folded.before, folded.after);
}

async function appendLines(deps: ProjectorDeps, deploymentId: string, entries: readonly LogEntry[]): Promise<void> {
  await deps.logs.append(deploymentId, entries);
  const stored = await deps.store.get(deploymentId);
  // Lines that come after the end: the archive is written anew with them.
  if (stored && isTerminal(stored.record.status)) {
    await deps.archiveLog(deploymentId);
    await deps.logs.wake(deploymentId);
  }
}
