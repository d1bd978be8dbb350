import { OpenAPIHono } from '@hono/zod-openapi';
import type { Api } from '../api/app.ts';
import type { ApiDeps } from '../api/deps.ts';
import { type ApiEnv, guard } from '../api/guard.ts';
import { invalid } from '../api/problem.ts';
import { registerAnalyze } from '../api/routes/analyze.ts';

/** An analysis request names a repository; it is not the place for data. */
const MAX_BODY = 16 * 1024;

/** `POST /analyze` alone, as the API answers it on the laptop: same token, same checks, same problems. */
export function createAnalyzer(deps: Required<Pick<ApiDeps, 'authenticate' | 'analyze' | 'log'>>): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => (result.success ? undefined : invalid(c, result.error)),
  });
  guard(app, deps, { maxBody: MAX_BODY });
  registerAnalyze(app, deps);
  return app;
}
