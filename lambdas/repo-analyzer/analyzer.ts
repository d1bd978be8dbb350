import { OpenAPIHono } from '@hono/zod-openapi';
import { type Analyze, registerAnalyze } from '../shared/http/analyze.ts';
import type { Authenticate } from '../shared/http/auth.ts';
import { type Api, type ApiEnv, guardApp } from '../shared/http/guard.ts';
import { answerInvalid } from '../shared/http/problem.ts';
import type { Log } from '../shared/logger.ts';

export interface AnalyzerDeps {
  readonly authenticate: Authenticate;
  readonly analyze: Analyze;
  readonly log: Log;
}

/** A request for an analysis only names a repository, so it is small. */
const MAX_BODY = 16 * 1024;

/** `POST /analyze` alone, as the API answers it on the laptop: same token, same checks, same problems. */
export function createAnalyzer(deps: AnalyzerDeps): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => (result.success ? undefined : answerInvalid(c, result.error)),
  });
  guardApp(app, deps, { maxBody: MAX_BODY });
  registerAnalyze(app, deps);
  return app;
}
