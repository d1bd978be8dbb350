import { OpenAPIHono } from '@hono/zod-openapi';
import { describeSettingsFile, SETTINGS_SCHEMA_PATH } from '../../contract/settings-file.ts';
import { registerAnalyze } from '../shared/http/analyze.ts';
import { type Api, type ApiEnv, guardApp } from '../shared/http/guard.ts';
import { answerInvalid } from '../shared/http/problem.ts';
import type { ApiDeps } from './deps.ts';
import { describeAccess } from './describeAccess.ts';
import { groupOperations } from './groupOperations.ts';
import { registerAudit } from './routes/audit.ts';
import { registerCaches } from './routes/caches.ts';
import { registerChange } from './routes/change.ts';
import { registerCosts } from './routes/costs.ts';
import { registerCreate } from './routes/create.ts';
import { registerDeployHooks } from './routes/deployHooks.ts';
import { registerDomains } from './routes/domains.ts';
import { registerFiles } from './routes/files.ts';
import { registerGit } from './routes/git.ts';
import { APP_CREATED_PATH, registerGithubApp } from './routes/githubApp.ts';
import { HOOKS_PREFIX, registerHooks } from './routes/hooks.ts';
import { registerLogs } from './routes/logs.ts';
import { registerMembers } from './routes/members.ts';
import { registerNotifications } from './routes/notifications.ts';
import { registerPreviewPassword } from './routes/previewPassword.ts';
import { registerProjects } from './routes/projects.ts';
import { registerQueue } from './routes/queue.ts';
import { registerRead } from './routes/read.ts';
import { registerReleases } from './routes/releases.ts';
import { registerReleaseVariables } from './routes/releaseVariables.ts';
import { registerServices } from './routes/services.ts';
import { registerTickets } from './routes/tickets.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerUploads } from './routes/uploads.ts';
import { registerUsage } from './routes/usage.ts';
import { registerVariables } from './routes/variables.ts';
import { registerWhoami } from './routes/whoami.ts';

/** API Gateway passes at most 10 MB; a request here is a few kilobytes. */
/** Variables alone may have 77 KiB (`MAX_BUILD_ENV_BYTES`), and escaped JSON may be six times as long. */
const MAX_BODY = 512 * 1024;
/** A push of some thousand commits. Lambda takes 6 MB with everything around it. */
const MAX_HOOK_BODY = 4 * 1024 * 1024;
const OPEN_PATHS = new Set(['/healthz', '/openapi.json', SETTINGS_SCHEMA_PATH, APP_CREATED_PATH]);

/** The HTTP API as a fetch handler: runs on Lambda and on Node alike. */
export function createApi(deps: ApiDeps): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => (result.success ? undefined : answerInvalid(c, result.error)),
  });
  guardApp(app, deps, {
    ...{ maxBody: MAX_BODY, open: OPEN_PATHS },
    hooks: { prefix: HOOKS_PREFIX, maxBody: MAX_HOOK_BODY },
  });

  app.get('/healthz', async (c) => {
    const reason = await deps.health?.();
    return reason ? c.json({ status: 'unwell', reason }, 503) : c.json({ status: 'ok' });
  });
  registerCreate(app, deps);
  registerUploads(app, deps);
  registerRead(app, deps);
  registerFiles(app, deps);
  registerLogs(app, deps);
  registerChange(app, deps);
  registerReleases(app, deps);
  registerReleaseVariables(app, deps);
  registerPreviewPassword(app, deps);
  registerProjects(app, deps);
  registerCosts(app, deps);
  registerServices(app, deps);
  registerCaches(app, deps);
  registerVariables(app, deps);
  registerDomains(app, deps);
  registerGit(app, deps);
  registerDeployHooks(app, deps);
  registerHooks(app, deps);
  registerNotifications(app, deps);
  registerGithubApp(app, deps);
  registerAnalyze(app, deps);
  registerTickets(app, deps);
  registerTokens(app, deps);
  registerMembers(app, deps);
  registerAudit(app, deps);
  registerQueue(app, deps);
  registerUsage(app, deps);
  registerWhoami(app);

  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  const describeApi = () =>
    groupOperations(
      describeAccess(
        app.getOpenAPI31Document({
          openapi: '3.1.0',
          info: { title: 'Veren', version: '1', description: 'From a git URL to a live site or a container image.' },
          security: [{ token: [] }],
        }),
      ),
    );
  app.get('/openapi.json', (c) => c.json(describeApi()));
  app.get(SETTINGS_SCHEMA_PATH, (c) => c.json(describeSettingsFile()));
  return app;
}
