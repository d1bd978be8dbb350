import { BuildJobSchema } from '../../contract/jobs.ts';
import { METRICS } from '../../contract/metrics.ts';
import { QUEUES, type QueueName } from '../../contract/names.ts';
import type { Measure } from '../shared/metrics.ts';
import type { Job } from '../shared/ports.ts';
import type { WatcherDeps } from './reconcile.ts';

type MeasureDeps = Pick<WatcherDeps, 'queue' | 'store' | 'clock' | 'timeoutSeconds'>;

/** How long after its timeout a build may still be active: the task is told to stop, stops, and its end is noticed. */
const STUCK_GRACE_S = 600;

/** Writes the metrics of the queues after each sweep. */
export async function measureQueues(deps: MeasureDeps, measure: Measure): Promise<void> {
  const now = deps.clock.now();
  const listJobs = (queue: QueueName, state: 'waiting' | 'active') => deps.queue.list(queue, state);
  const [clones, builds, promotions, active] = await Promise.all([
    listJobs(QUEUES.clone, 'waiting'),
    listJobs(QUEUES.build, 'waiting'),
    listJobs(QUEUES.promote, 'waiting'),
    listJobs(QUEUES.build, 'active'),
  ]);
  const stuck = await Promise.all(active.map((job) => isStuck(deps, job, now)));
  measure({
    [METRICS.cloneQueueAge]: oldestAge(clones, now),
    // Promotions count as builds, since the same worker handles both.
    [METRICS.buildQueueAge]: Math.max(oldestAge(builds, now), oldestAge(promotions, now)),
    [METRICS.waitingBuilds]: builds.length,
    [METRICS.activeBuilds]: active.length,
    [METRICS.stuckBuilds]: stuck.filter(Boolean).length,
  });
}

/** Seconds that the oldest job which is due has waited; 0 where none is. A job that waits for its retry is not due. */
function oldestAge(jobs: readonly Job[], now: number): number {
  const due = jobs.filter((job) => job.runAt <= now).map((job) => toSeconds(now - Math.max(job.addedAt, job.runAt)));
  return due.length > 0 ? Math.max(...due) : 0;
}

/**
 * True for a build that runs longer than allowed, counted from its first reported phase, without the time in the queue.
 */
async function isStuck({ store, timeoutSeconds }: MeasureDeps, job: Job, now: number): Promise<boolean> {
  const data = BuildJobSchema.safeParse(job.data).data;
  const build = data && (await store.get(data.deploymentId))?.record.builds[data.target];
  const since = build?.phases[0]?.startedAt;
  if (!data || since === undefined) return false;
  return toSeconds(now - Date.parse(since)) > timeoutSeconds[data.target] + STUCK_GRACE_S;
}

const toSeconds = (ms: number) => Math.max(0, Math.round(ms / 1_000));
