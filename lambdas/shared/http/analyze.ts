import { createRoute } from '@hono/zod-openapi';
import { type AnalyzeRequest, AnalyzeSchema, ProblemSchema } from '../../../contract/api.ts';
import { type Plan, PlanSchema } from '../../../contract/plan.ts';
import { type Api, jsonOnly } from './guard.ts';
import { failWith, problemResponses } from './problem.ts';

const route = createRoute({
  method: 'post',
  path: '/analyze',
  middleware: jsonOnly,
  summary: 'What would be built, and why',
  description: 'The plan with the evidence for every choice; nothing is deployed.',
  request: { body: { required: true, content: { 'application/json': { schema: AnalyzeSchema } } } },
  responses: {
    200: { description: 'The plan', content: { 'application/json': { schema: PlanSchema } } },
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'MALFORMED_JSON',
      'GIT_URL_UNSUPPORTED',
      'GIT_HOST_FORBIDDEN',
      'UNAUTHORIZED',
      'REPO_NOT_FOUND',
      'REPO_AUTH_FAILED',
      'REPO_EMPTY',
      'REF_NOT_FOUND',
      'REPO_TOO_LARGE',
      'PATH_NOT_FOUND',
      'NOTHING_TO_DEPLOY',
      'MANIFEST_INVALID',
      'SETTINGS_FILE_INVALID',
      'NODE_VERSION_UNSUPPORTED',
      'NEEDS_SERVER',
      'GIT_FAILED',
      'GIT_TIMEOUT',
    ),
  },
});

export type Analyze = (request: AnalyzeRequest) => Promise<Plan>;

/** Registered also where another function answers it, so that the OpenAPI document is complete. */
export function registerAnalyze(app: Api, deps: { readonly analyze?: Analyze }): void {
  app.openapi(route, async (c) => {
    if (!deps.analyze) return failWith('NOT_FOUND', { what: 'analyzer' });
    return c.json(await deps.analyze(c.req.valid('json')), 200);
  });
}
