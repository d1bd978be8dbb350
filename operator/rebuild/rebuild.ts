import { isDeepStrictEqual } from 'node:util';
import type { BuilderEvent, DeploymentEvent } from '../../contract/events.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { eventsOf } from '../../lambdas/domain/eventsOf.ts';
import { type DeploymentFacts, emptyFacts } from '../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../lambdas/domain/reduce.ts';
import { toRecord } from '../../lambdas/domain/toRecord.ts';
import {
  type ArtifactPlace,
  MAX_CLOCK_SKEW_MS,
  refusalOfBuilderEvent,
  refusalOfPlatformEvent,
  refusalOfUnsigned,
} from '../../lambdas/event-projector/admit.ts';
import type { WholeArchive } from '../../lambdas/shared/archive.ts';
import { forEachParallel } from '../../lambdas/shared/async.ts';
import type { DeploymentStore, LogChannel } from '../../lambdas/shared/ports.ts';
import type { CostStore } from '../../lambdas/shared/projects/costStore.ts';
import type { ProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import type { Signing } from '../../lambdas/shared/signing.ts';
import { historyReader } from './readHistory.ts';
import type { KeptMessage, TopicReader } from './readTopics.ts';
import { type KafkaLog, restoreLog, sortIn } from './rebuildLog.ts';

export interface RebuildDeps {
  readonly store: DeploymentStore;
  readonly logs: LogChannel;
  /** Removes a deployment's log from Redis. */
  readonly clearLog: (deploymentId: string) => Promise<void>;
  readonly archive: WholeArchive;
  /** Writes the log's archive from the log in Redis. */
  readonly archiveLog: (deploymentId: string) => Promise<void>;
  /** Reads all topics from their beginning. */
  readonly read: (onMessage: (message: KeptMessage) => void) => Promise<TopicReader>;
  readonly signing: Signing;
  readonly place: ArtifactPlace;
  /** The same setting as the projector's. */
  readonly maxClockSkewMs?: number;
  readonly now: () => number;
  /** The projects in the bucket, whose owners' claims are restored. */
  readonly projects: Pick<ProjectStore, 'all' | 'get' | 'getDeleted'>;
  /** What each deployment has cost, which is in the bucket and may be older than the events. */
  readonly costs: Pick<CostStore, 'note'>;
}

export interface RebuildReport {
  /** Claims of owners on their projects. */
  readonly projects: number;
  /** Deployments that S3 or Kafka knows. */
  readonly deployments: number;
  /** Deployments whose record, or whose log, was missing or different in Redis. */
  readonly recordsRestored: number;
  readonly logsRestored: number;
  /** Deployments whose cost was missing or different in the sum of its month. */
  readonly costsRestored: number;
  /** Deployments that had ended without being archived, and were archived now. */
  readonly archived: number;
  /** Deployments that have not ended. Their jobs are gone with Redis. */
  readonly unfinished: readonly string[];
  /** Messages that cannot be read. The projector has parked them. */
  readonly malformed: number;
  /** Messages that the projector drops too, since their writer is not proved or may not send them. */
  readonly refused: number;
  /** Deployments that still differed from S3 and Kafka at the last comparison. */
  readonly differing: readonly string[];
}

/**
 * How often logs are compared and restored again: a projector that runs meanwhile may append to a log that is being
 * restored.
 */
const ROUNDS = 6;
const AT_ONCE = 16;

/**
 * Rebuilds the state in Redis from the archive in S3 and the events in Kafka, and compares the result. Existing state
 * stays: the facts of a deployment do not depend on the order or number of deliveries, so a rebuild may be run at any
 * time and again. Takes memory for the facts of every deployment (some kilobytes each) and for the logs that are not
 * archived.
 */
export async function rebuildState(deps: RebuildDeps): Promise<RebuildReport> {
  const { claimed, isRemoved } = await restoreClaims(deps);
  const known = new Map<string, DeploymentFacts>();
  const logs = new Map<string, KafkaLog>();
  const archivedLogs = new Set<string>();
  let malformed = 0;
  let refused = 0;
  for await (const id of deps.archive.list('log')) archivedLogs.add(id);
  const archivedEvents: string[] = [];
  for await (const id of deps.archive.list('events')) archivedEvents.push(id);
  await forEachParallel(archivedEvents, AT_ONCE, async (id) => {
    known.set(id, ((await deps.archive.readEvents(id)) ?? []).reduce(reduceEvent, emptyFacts));
  });

  const timeWindow = () => ({ now: deps.now(), maxSkewMs: deps.maxClockSkewMs ?? MAX_CLOCK_SKEW_MS });
  /**
   * Builders' events for deployments whose request was not read yet, since topics are not ordered against each other.
   */
  const early = new Map<string, BuilderEvent[]>();
  const admitEvent = (event: DeploymentEvent, refusal: string | null, facts: DeploymentFacts) => {
    if (refusal) refused++;
    else known.set(event.deploymentId, reduceEvent(facts, event));
  };
  const admitBuilderEvent = (event: BuilderEvent) => {
    const facts = known.get(event.deploymentId) ?? emptyFacts;
    if (!facts.requested) early.set(event.deploymentId, [...(early.get(event.deploymentId) ?? []), event]);
    else admitEvent(event, refusalOfBuilderEvent(event, facts, timeWindow(), deps.place), facts);
  };
  const readHistory = historyReader(deps.signing, deps.now);
  const reader = await deps.read((raw) => {
    const read = readHistory(raw);
    if (read.kind === 'malformed') malformed++;
    else if (read.kind === 'refused') refused++;
    else if (read.kind === 'builder') admitBuilderEvent(read.message);
    else if (read.kind === 'logs' || read.kind === 'unsigned logs') {
      if (!archivedLogs.has(read.message.deploymentId)) sortIn(logs, read.message);
    } else {
      const event = read.message;
      const facts = known.get(event.deploymentId) ?? emptyFacts;
      const signed = read.kind === 'platform' || event.type === 'deployment.requested';
      const refusal = signed
        ? refusalOfPlatformEvent(event, facts.requested)
        : refusalOfUnsigned(event, facts, timeWindow(), deps.place);
      admitEvent(event, refusal, facts);
      const waiting = early.get(event.deploymentId) ?? [];
      if (waiting.length > 0 && known.get(event.deploymentId)?.requested) {
        early.delete(event.deploymentId);
        waiting.forEach(admitBuilderEvent);
      }
    }
  });
  const restored = {
    records: new Set<string>(),
    logs: new Set<string>(),
    archived: new Set<string>(),
    costs: new Set<string>(),
  };
  let differing: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await reader.caughtUp();
      differing = [];
      await forEachParallel(known, AT_ONCE, async ([id, facts]) => {
        const expected = toRecord(facts);
        // Without its request it is not one of ours; of a deleted project nothing comes back.
        if (!expected || isRemoved(expected)) return;
        const log = logs.get(id);
        const sameLog = !log || (await restoreLog(deps, id, log));
        if (!sameLog) restored.logs.add(id);
        const sameRecord = await restoreRecord(deps, expected, facts);
        if (!sameRecord) restored.records.add(id);
        const sameArchive = !sameLog || (await restoreArchive(deps, expected, facts, archivedLogs.has(id)));
        if (!sameArchive) restored.archived.add(id);
        if (await deps.costs.note(expected)) restored.costs.add(id);
        if (!sameLog || !sameRecord || !sameArchive) differing.push(id);
      });
      if (differing.length === 0) break;
    }
  } finally {
    await reader.close();
  }
  const records = [...known.values()]
    .map(toRecord)
    .filter((record) => record !== null)
    .filter((record) => !isRemoved(record));
  return {
    projects: claimed,
    deployments: records.length,
    recordsRestored: restored.records.size,
    logsRestored: restored.logs.size,
    costsRestored: restored.costs.size,
    archived: restored.archived.size,
    unfinished: records.filter((r) => !isTerminal(r.status)).map((r) => r.deploymentId),
    malformed,
    refused,
    differing,
  };
}

/**
 * Claims every project for its owner, before deployments could claim it for another, and tells which deployments were
 * removed with a project: Kafka may still have their events.
 */
async function restoreClaims({ projects, store }: RebuildDeps) {
  const removedUntil = new Map<string, string>();
  let claimed = 0;
  for await (const projectId of projects.all()) {
    const project = await projects.get(projectId);
    const gone = project ? project.deletedBefore : (await projects.getDeleted(projectId))?.deleted?.at;
    if (gone !== undefined) removedUntil.set(projectId, gone);
    if (project && (await store.claimProject(projectId, project.owner))) claimed++;
  }
  const isRemoved = ({ projectId, createdAt }: Pick<DeploymentRecord, 'projectId' | 'createdAt'>) =>
    createdAt < (removedUntil.get(projectId) ?? '');
  return { claimed, isRemoved };
}

/**
 * True where the record in Redis was correct. Otherwise its events are folded, and the next round compares it again.
 */
async function restoreRecord(deps: RebuildDeps, expected: DeploymentRecord, facts: DeploymentFacts): Promise<boolean> {
  const stored = await deps.store.get(expected.deploymentId);
  if (isDeepStrictEqual(stored?.record, expected)) return true;
  await deps.store.fold(expected.deploymentId, eventsOf(facts));
  return false;
}

/** Archives an ended deployment, as the projector does. True where its archive was complete already. */
async function restoreArchive(
  deps: RebuildDeps,
  expected: DeploymentRecord,
  facts: DeploymentFacts,
  logIsArchived: boolean,
): Promise<boolean> {
  if (!isTerminal(expected.status)) return true;
  if (isDeepStrictEqual(await deps.archive.readRecord(expected.deploymentId), expected)) return true;
  if (!logIsArchived) await deps.archiveLog(expected.deploymentId);
  await deps.archive.writeRecord(expected, eventsOf(facts));
  return false;
}
