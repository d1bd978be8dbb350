import type { z } from 'zod';
import { CopyJobSchema, ReleaseJobSchema, type ServiceJob, ServiceJobSchema } from '../../contract/jobs.ts';
import { QUEUES, type QueueName } from '../../contract/names.ts';
import { backoffDelay } from '../domain/retry.ts';
import { withLogFields } from '../shared/logger.ts';
import type { ClaimedJob, Limits } from '../shared/ports.ts';
import { copyReleased } from './copyOutputs.ts';
import type { ReleaserDeps } from './deps.ts';
import { handleRelease, laterBy } from './release.ts';
import type { ServiceRunner } from './services.ts';
import { startRelease } from './startRelease.ts';
import { startStored } from './startService.ts';

/** Extended while objects are copied; after it another releaser can claim the job. */
const LEASE_MS = 120_000;
const RENEW_AFTER_MS = LEASE_MS / 4;
/** Time for the largest site (50,000 copies) and for waiting for another copy of its project. */
export const LONGEST_RELEASE_MS = 600_000;
/** How long one copy waits for another of its project, of which builds of an earlier version write how long it may take. */
const COPY_WAIT_MS = 60_000;
/** With pauses of up to a minute an outage of so many minutes is survived; what is lost then is found by the next look. */
const MAX_TRIES = 60;
/** Two copies of one project would only wait for each other. */
const COPY_LIMITS: Limits = { global: 1_000, perOwner: 1_000, perProject: 1 };

type MayTakeMore = () => boolean;

/**
 * Does what waits in the queues `release` and `copy`, both at once, since nobody may wait for a copy. Safe to run in several
 * processes.
 * @returns True where no job was left.
 */
export async function drainReleases(deps: ReleaserDeps, mayTakeMore: MayTakeMore = () => true): Promise<boolean> {
  const drainCopies = () => drainQueue(deps, mayTakeMore, copies(deps));
  const thenCopies = async (drained: boolean) => (await drainCopies()) && drained;
  const { runner } = deps;
  const runs = await Promise.allSettled([
    drainCopies(),
    // The copies that follow from releases are enqueued by them, and some releases by starts.
    runner ? drainQueue(deps, mayTakeMore, starts({ ...deps, runner })).then(thenCopies) : true,
    drainQueue(deps, mayTakeMore, releases(deps)).then(thenCopies),
  ]);
  // Waits for both: an exception ends the invocation, and Lambda would freeze the process in the middle of a copy.
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  return runs.every((run) => run.status === 'fulfilled' && run.value);
}

interface Drained<T> {
  readonly queue: QueueName;
  readonly schema: z.ZodType<T>;
  readonly limits?: Limits;
  readonly run: (job: ClaimedJob, data: T) => Promise<'done' | 'later'>;
}

const releases = (deps: ReleaserDeps): Drained<z.output<typeof ReleaseJobSchema>> => ({
  queue: QUEUES.release,
  schema: ReleaseJobSchema,
  run: (job, data) => handleRelease(deps, job, data),
});

/** One start at a time holds up no release: each takes as long as a backend may take to answer. */
const starts = (deps: ReleaserDeps & { readonly runner: ServiceRunner }): Drained<ServiceJob> => ({
  queue: QUEUES.service,
  schema: ServiceJobSchema,
  async run(job, data) {
    const renew = () => deps.queue.heartbeat(QUEUES.service, job.id, LEASE_MS);
    const { releaseId } = data;
    if (releaseId === undefined) await startStored(deps, job, data, renew);
    else await startRelease(deps, job, { ...data, releaseId }, renew);
    return 'done';
  },
});

const copies = (deps: ReleaserDeps): Drained<z.output<typeof CopyJobSchema>> => ({
  queue: QUEUES.copy,
  schema: CopyJobSchema,
  limits: COPY_LIMITS,
  async run(job, { projectId }) {
    const waiting = new AbortController();
    const late = () => waiting.abort(new Error('another copy of the project has not ended'));
    const timer = setTimeout(late, COPY_WAIT_MS);
    let renewed = deps.clock.now();
    const renew = async () => {
      clearTimeout(timer);
      if (deps.clock.now() - renewed < RENEW_AFTER_MS) return;
      renewed = deps.clock.now();
      await deps.queue.heartbeat(QUEUES.copy, job.id, LEASE_MS);
    };
    try {
      const done = await copyReleased(deps, projectId, waiting.signal, renew);
      if (done) deps.log.info('The copy of the released site was brought up to date', { projectId, ...done });
      return 'done';
    } finally {
      clearTimeout(timer);
    }
  },
});

async function drainQueue<T>(deps: ReleaserDeps, mayTakeMore: MayTakeMore, drained: Drained<T>): Promise<boolean> {
  const { queue: name, schema, limits, run } = drained;
  while (mayTakeMore()) {
    const job = await deps.queue.claim(name, { leaseMs: LEASE_MS, ...(limits && { limits }) });
    if (!job) return true;
    const parsed = schema.safeParse(job.data);
    if (!parsed.success) {
      deps.log.error('A job of the queue is none of its kind and was dropped', { jobId: job.id, error: parsed.error });
      await deps.queue.ack(name, job.id);
      continue;
    }
    await withLogFields({ projectId: job.projectId }, async () => {
      try {
        if ((await run(job, parsed.data)) === 'done') await deps.queue.ack(name, job.id);
        else await deps.queue.requeue(name, job.id, laterBy);
      } catch (error) {
        await tryAgain(deps, name, job, error);
      }
    });
  }
  return false;
}

async function tryAgain(deps: ReleaserDeps, name: QueueName, job: ClaimedJob, error: unknown): Promise<void> {
  if (job.attempt >= MAX_TRIES) {
    deps.log.error('A release is left to the next look at its project', { jobId: job.id, error });
    await deps.queue.ack(name, job.id);
    return;
  }
  deps.log.warn('A release could not be followed and is tried again', { jobId: job.id, try: job.attempt, error });
  await deps.queue.retry(name, job.id, job.attempt, backoffDelay(job.attempt - 1));
}
