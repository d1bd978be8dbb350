import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import {
  BUDGET_PERCENT,
  budgetPercent,
  type CostBudget,
  MonthSchema,
  monthOf,
  type ProjectCosts,
  ProjectCostsSchema,
} from '../../../contract/cost.ts';
import { ENVIRONMENTS } from '../../../contract/lanes.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'get',
  path: '/projects/{id}/costs',
  summary: "What a project's builds have cost in a month",
  description:
    'Millionths of a US dollar, computed from what tasks were and moved and from a table of prices: an estimate. A ' +
    'deployment counts in the month (UTC) of its request, once its task has ended. Without `month` it is the present one.',
  request: { params: z.object({ id: ProjectIdSchema }), query: z.strictObject({ month: MonthSchema.optional() }) },
  responses: {
    200: { description: 'The costs', content: { 'application/json': { schema: ProjectCostsSchema } } },
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'PROJECT_DELETED',
      'UNAVAILABLE',
    ),
  },
});

export function registerCosts(app: Api, deps: Pick<ApiDeps, 'findProject' | 'costs' | 'clock'>): void {
  app.openapi(route, async (c) => {
    const { projectId, settings } = await deps.findProject(c.req.valid('param').id, c.get('owner'));
    const present = monthOf(new Date(deps.clock.now()).toISOString());
    const { month = present } = c.req.valid('query');
    const [asked, spent] = await Promise.all([
      deps.costs.sum(projectId, month),
      settings.budget ? deps.costs.sum(projectId, present) : null,
    ]);
    const budget = settings.budget && spent && budgetState(settings.budget, spent.microUsd);
    return c.json({ projectId, month, ...asked, ...(budget && { budget }) }, 200);
  });
}

/** What the build-worker makes of a budget, `lambdas/build-worker/services/pace.ts`. */
function budgetState(budget: CostBudget, microUsd: number): NonNullable<ProjectCosts['budget']> {
  const percent = budgetPercent(budget, microUsd);
  return {
    ...budget,
    percent,
    slowed: percent >= BUDGET_PERCENT.slow,
    refused: ENVIRONMENTS.filter((environment) => percent >= BUDGET_PERCENT.refuse[environment]),
  };
}
