import { TARGETS, type Target } from '../../contract/builders.ts';
import { buildJobId, cloneJobId, promotionJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import { makeDeploymentFailedEvent } from '../domain/events.ts';
import { failure } from '../domain/failure.ts';
import { forEachParallel } from '../shared/async.ts';
import type { StoredDeployment } from '../shared/ports.ts';
import { mayPromote, queuePromotion } from '../shared/promotion.ts';
import { publishBuildEvent, publishEvents } from '../shared/publishEvents.ts';
import { mayStartService, queueServiceStart } from '../shared/services/queueService.ts';
import { submitDeployment } from '../shared/submit.ts';
import type { WatcherDeps } from './reconcile.ts';

const AT_ONCE = 20;
/** An accepted deployment that has no job after this long is submitted again. */
const RESUBMIT_AFTER_MS = 30_000;
/**
 * A deployment without a job and without a change for this long is ended: longer than an event may take, plus
 * differences of clocks.
 */
const GIVE_UP_AFTER_MS = 900_000;

/**
 * Handles deployments that have not ended although no job is left that could end them: their final event was lost, or
 * Redis was lost and rebuilt from Kafka, which has no jobs.
 */
export async function lookAfterUnfinished(deps: WatcherDeps): Promise<void> {
  await forEachParallel(await deps.store.unfinished(), AT_ONCE, (id) => lookAfter(deps, id));
}

async function lookAfter(deps: WatcherDeps, id: string): Promise<void> {
  const stored = await deps.store.get(id);
  if (!stored || isTerminal(stored.record.status)) return;
  const age = deps.clock.now() - Date.parse(stored.record.updatedAt);
  // A record from the future means that the clock was set back. Its age is unknown, but it may be submitted again.
  const quietFor = age < 0 ? RESUBMIT_AFTER_MS : age;
  if (quietFor < RESUBMIT_AFTER_MS || (await deps.queue.get(QUEUES.clone, cloneJobId(id)))) return;
  if (mayPromote(stored.record)) await queuePromotion(deps, stored);
  if (mayStartService(stored.record)) await queueServiceStart(deps, stored.record);
  if (!stored.record.plan) {
    // Enqueueing a job again does nothing, also after it has ended: then its events are still on their way.
    if (stored.request && quietFor < GIVE_UP_AFTER_MS) await submitDeployment(deps, stored);
    else if (quietFor >= GIVE_UP_AFTER_MS) await giveUp(deps, stored);
  } else if (quietFor >= GIVE_UP_AFTER_MS)
    for (const target of TARGETS) if (stored.record.plan[target]) await giveUpBuild(deps, stored, target, quietFor);
}

const giveUp = (deps: WatcherDeps, { record }: StoredDeployment): Promise<void> =>
  publishEvents(deps.bus, makeDeploymentFailedEvent(record, failure('JOB_LOST'), deps.clock.now(), 'given-up'));

async function giveUpBuild(
  deps: WatcherDeps,
  { record }: StoredDeployment,
  target: Target,
  quietFor: number,
): Promise<void> {
  const { deploymentId, projectId, correlationId } = record;
  const build = record.builds[target];
  // It waits for its promotion, or for the other part, which has a job or is ended by itself.
  const next = target === 'backend' ? QUEUES.service : QUEUES.promote;
  const isDue = target === 'backend' || mayPromote(record);
  if (build?.stored && (!isDue || (await deps.queue.get(next, promotionJobId(deploymentId))))) return;
  if (!build || isTerminal(build.status) || (await deps.queue.get(QUEUES.build, buildJobId(deploymentId, target))))
    return;
  // The job is lost but the task may run: within one phase a builder may send no event for as long as its time limit.
  if (build.status === 'building' && quietFor < GIVE_UP_AFTER_MS + deps.timeoutSeconds[target] * 1_000) return;
  const { attempt } = build;
  const artifact = await deps.findArtifact({ deploymentId, projectId, target, attempt });
  await publishBuildEvent(
    deps,
    { deploymentId, projectId, target, attempt, correlationId },
    artifact
      ? { type: 'build.succeeded', artifact, logLines: 0 }
      : { type: 'build.failed', error: failure('JOB_LOST') },
  );
}
