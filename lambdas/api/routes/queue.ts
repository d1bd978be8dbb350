import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import type { Target } from '../../../contract/builders.ts';
import { limitsOf } from '../../../contract/ownerLimits.ts';
import { mayUseProject } from '../../../contract/people.ts';
import { QueueSchema } from '../../../contract/queue.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { Job } from '../../shared/ports.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'get',
  path: '/queue',
  summary: 'What waits and what runs',
  description:
    'Of the projects that the token is good for: what runs, then what waits, in its order. `position` counts the jobs ' +
    'of all owners. Without `target` its repository is looked at.',
  responses: {
    200: { description: 'Jobs and the limit', content: { 'application/json': { schema: QueueSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

/** A job and how many are before it in its list. */
interface Place {
  readonly job: Job;
  readonly place: number;
}

const dataOf = (job: Job) => job.data as { readonly deploymentId: string; readonly target?: Target };

export function registerQueue(app: Api, deps: Pick<ApiDeps, 'queue' | 'limits' | 'clock'>): void {
  app.openapi(route, async (c) => {
    const caller = c.get('caller');
    const listJobs = async (queue: 'clone' | 'build', state: 'active' | 'waiting') =>
      (await deps.queue.list(queue, state)).map((job, place) => ({ job, place }));
    const listBoth = (state: 'active' | 'waiting') => Promise.all([listJobs('clone', state), listJobs('build', state)]);
    // What is taken between the two reads is then in both lists, and not in none.
    const [waitingClones, waitingBuilds] = await listBoth('waiting');
    const [activeClones, activeBuilds] = await listBoth('active');
    const lists = [activeBuilds, activeClones, waitingClones, waitingBuilds];
    const own = withoutFormer(lists.flat()).filter(
      ({ job }) => job.owner === caller.owner && mayUseProject(caller, job.projectId),
    );
    const now = deps.clock.now();
    const { builds } = limitsOf(deps.limits, caller.owner);
    const items = own.map(({ job, place }) => viewJob(job, place, now));
    return c.json({ items, limits: { ...(builds !== undefined && { builds }) } }, 200);
  });
}

/**
 * Every piece of work once, as it is furthest: a job that was taken meanwhile runs and does not wait any more, and a
 * repository whose builds are there has been looked at, also while its job comes to its end.
 */
function withoutFormer(places: readonly Place[]): Place[] {
  const built = new Set(places.filter(({ job }) => dataOf(job).target).map(({ job }) => dataOf(job).deploymentId));
  const seen = new Set<string>();
  return places.filter(({ job }) => {
    const { deploymentId, target } = dataOf(job);
    const work = `${deploymentId}/${target}`;
    const isFormer = seen.has(work) || (target === undefined && built.has(deploymentId));
    seen.add(work);
    return !isFormer;
  });
}

function viewJob(job: Job, place: number, now: number) {
  const { deploymentId, target } = dataOf(job);
  const waits = job.state === 'waiting';
  return {
    ...{ deploymentId, projectId: job.projectId, ...(target && { target }) },
    state: waits ? ('waiting' as const) : ('running' as const),
    ...(waits && { position: place + 1 }),
    ...{ attempt: job.attempt, since: new Date(job.addedAt).toISOString() },
    ...(waits && job.runAt > now && { notBefore: new Date(job.runAt).toISOString() }),
  };
}
