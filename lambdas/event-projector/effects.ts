import { ZodError } from 'zod';
import { TARGETS } from '../../contract/builders.ts';
import { buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { hasStopped } from '../domain/buildJob.ts';
import { eventsOf } from '../domain/eventsOf.ts';
import type { Archive } from '../shared/archive.ts';
import type { BuildIndex } from '../shared/buildIndex.ts';
import { queueReport } from '../shared/gitHosts/queueReport.ts';
import type { Log } from '../shared/logger.ts';
import { queueNotice } from '../shared/notifications/queueNotice.ts';
import type { DeploymentStore, FunctionWaker, JobQueue, LogChannel, Notifier, Subscriptions } from '../shared/ports.ts';
import { type CostStore, keepCost } from '../shared/projects/costStore.ts';
import { mayPromote, queuePromotion } from '../shared/promotion.ts';
import { queueShown } from '../shared/queueRelease.ts';
import { mayStartService, queueServiceStart } from '../shared/services/queueService.ts';
import { freeSlot } from '../shared/slots.ts';
import type { StopBuilds } from '../shared/stopBuilds.ts';
import { tellSubscribers } from '../shared/tellSubscribers.ts';
import { deploymentMessage } from '../shared/webSocketMessages.ts';

export interface EffectDeps {
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
  readonly waker: FunctionWaker;
  readonly logs: LogChannel;
  readonly archive: Archive;
  /** Writes the log's archive from the hot log. */
  readonly archiveLog: (deploymentId: string) => Promise<void>;
  /** Notes what a deployment was built from, so that the same is not built again. */
  readonly noteBuild?: BuildIndex['note'];
  /** Where the costs of projects are kept. */
  readonly costs?: Pick<CostStore, 'note'>;
  readonly subscriptions: Subscriptions;
  readonly notifier: Notifier;
  readonly stopBuilds: StopBuilds;
  /** Whether a project's git host is told of its deployments. @default - none is */
  readonly isConnected?: (projectId: string) => Promise<boolean>;
  /** Whether addresses are told of a project's deployments. @default - none is */
  readonly hasNotifications?: (projectId: string) => Promise<boolean>;
  readonly log: Log;
}

/**
 * Does what follows from a change of a record. Delivery is at least once, so every step may be repeated: steps for a
 * terminal state are done whenever the state is terminal, not only when it has just become so.
 */
export async function applyRecordEffects(
  deps: EffectDeps,
  before: DeploymentRecord | null,
  after: DeploymentRecord,
): Promise<void> {
  // First, since visitors wait for it.
  await queueShown(deps, after);
  if (isTerminal(after.status)) {
    if (after.status === 'canceled') await stop(deps, after.deploymentId);
    const facts = (await deps.store.get(after.deploymentId))?.facts;
    await deps.archive.writeRecord(after, facts ? eventsOf(facts) : []);
    await deps.archiveLog(after.deploymentId);
    await deps.noteBuild?.(after);
    if (!before || !isTerminal(before.status)) logEnd(deps.log, after);
  }
  await freeStopped(deps, after);
  await noteCost(deps, after);
  if (mayPromote(after)) await promoteStored(deps, after.deploymentId);
  if (mayStartService(after)) await queueServiceStart(deps, after);
  await queueReports(deps, after);
  await queueEnd(deps, after);

  await deps.logs.wake(after.deploymentId);
  if (before && JSON.stringify(before) === JSON.stringify(after)) return;
  await notifySubscribers(deps, after);
}

function logEnd(
  log: Log,
  { deploymentId, projectId, correlationId, status, error, createdAt, finishedAt }: DeploymentRecord,
) {
  const seconds = (Date.parse(finishedAt ?? createdAt) - Date.parse(createdAt)) / 1_000;
  log.info('A deployment has ended', { correlationId, deploymentId, projectId, status, code: error?.code, seconds });
}

/** An outage of ECS must not hold back all records of the partition; the sweep stops canceled tasks that still run. */
async function stop(deps: EffectDeps, deploymentId: string): Promise<void> {
  try {
    await deps.stopBuilds(deploymentId, 'the deployment was canceled');
  } catch (error) {
    deps.log.warn('A task could not be stopped, and the next sweep tries again', { deploymentId, error });
  }
}

/** A document of costs that nobody can read is one project's, and must not hold back what others have in the partition. */
async function noteCost({ store, costs, log }: EffectDeps, record: DeploymentRecord): Promise<void> {
  if (!costs) return;
  try {
    await keepCost({ store, costs }, record);
  } catch (error) {
    if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
    const { deploymentId, projectId } = record;
    log.error('The costs of a month cannot be read, and a deployment is missing there', {
      ...{ deploymentId, projectId, error },
    });
  }
}

/**
 * The host is told of every state in which a deployment is seen. A commit may become known in any of them, and none is told
 * twice; what is told is read when the job is worked on.
 */
async function queueReports(deps: EffectDeps, record: DeploymentRecord): Promise<void> {
  const { deploymentId, projectId, owner, status, expired, trigger, commit } = record;
  if ((trigger?.commit ?? commit) === null || !(await deps.isConnected?.(projectId))) return;
  const revision = expired ? 'expired' : status;
  await queueReport(deps, { deploymentId, projectId, owner, revision });
}

/** Addresses outside are told of the end alone. */
async function queueEnd(deps: EffectDeps, record: DeploymentRecord): Promise<void> {
  const { deploymentId, projectId, owner, status, expired } = record;
  if (!isTerminal(status) || expired || !(await deps.hasNotifications?.(projectId))) return;
  await queueNotice(deps, { kind: 'deployment', deploymentId, projectId, owner, status });
}

/** Frees the slot of a build whose task had stopped before its final event arrived. */
async function freeStopped(deps: EffectDeps, record: DeploymentRecord): Promise<void> {
  for (const target of TARGETS) {
    const build = record.builds[target];
    if (!build || !(build.stored || isTerminal(build.status))) continue;
    const id = buildJobId(record.deploymentId, target);
    const job = await deps.queue.get(QUEUES.build, id);
    if (job && hasStopped(job)) await freeSlot(deps, id);
  }
}

async function promoteStored(deps: EffectDeps, deploymentId: string): Promise<void> {
  const stored = await deps.store.get(deploymentId);
  if (stored && mayPromote(stored.record)) await queuePromotion(deps, stored);
}

/** Pushes the record to all subscribers of the deployment or its project. */
function notifySubscribers(deps: EffectDeps, record: DeploymentRecord): Promise<void> {
  const { deploymentId, projectId } = record;
  const subjects = [`deployment:${deploymentId}`, `project:${projectId}`] as const;
  return tellSubscribers(deps, subjects, record, () => deploymentMessage(record));
}
