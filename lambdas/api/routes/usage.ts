import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import { limitsOf } from '../../../contract/ownerLimits.ts';
import { MAX_MEMBERS, MAX_TOKENS, UsageSchema } from '../../../contract/people.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import { GIB, RATES } from '../../shared/people/limitOwners.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'get',
  path: '/usage',
  summary: 'What the owner uses, and its limits',
  description: 'Where there is no `limit`, there is none. Storage is counted once an hour.',
  responses: {
    200: { description: 'The use', content: { 'application/json': { schema: UsageSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'FORBIDDEN', 'UNAVAILABLE'),
  },
});

type UsageDeps = Pick<ApiDeps, 'owners' | 'queue' | 'rateLimit' | 'limits' | 'measureStorage'>;

export function registerUsage(app: Api, deps: UsageDeps): void {
  app.openapi(route, async (c) => {
    const owner = c.get('owner');
    const limits = limitsOf(deps.limits, owner);
    const countJobs = async (state: 'active' | 'waiting') =>
      (await deps.queue.list('build', state)).filter((job) => job.owner === owner).length;
    const countRate = ({ key, windowMs }: (typeof RATES)[keyof typeof RATES]) =>
      deps.rateLimit.count(key(owner), windowMs);
    const [active, waiting, requests, deployments, storage, { members, tokens }] = await Promise.all([
      countJobs('active'),
      countJobs('waiting'),
      countRate(RATES.requests),
      countRate(RATES.deployments),
      deps.measureStorage(owner),
      deps.owners.read(owner),
    ]);
    const withLimit = (used: number, limit: number | undefined) => ({ used, ...(limit !== undefined && { limit }) });
    return c.json(
      {
        builds: { ...withLimit(active, limits.builds), waiting },
        requestsPerMinute: withLimit(requests, limits.requestsPerMinute),
        deploymentsPerHour: withLimit(deployments, limits.deploymentsPerHour),
        storageBytes: {
          ...withLimit(storage.bytes, limits.storageGiB && limits.storageGiB * GIB),
          uncountedProjects: storage.uncounted,
        },
        members: withLimit(members.length, MAX_MEMBERS),
        tokens: withLimit(tokens.length, MAX_TOKENS),
      },
      200,
    );
  });
}
