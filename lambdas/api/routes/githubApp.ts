import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import {
  AppStartSchema,
  FinishAppSchema,
  type GithubApp,
  GithubAppSchema,
  StartAppSchema,
} from '../../../contract/githubApp.ts';
import { type Api, jsonIfAny, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { appApi, convertCode, openState, sealState } from '../githubApp/finishApp.ts';
import { appManifest, createdPage, GITHUB_COM, manifestAction, manifestPage } from '../githubApp/manifest.ts';

/** Where GitHub leads back to. Open to everybody, since it shows nothing but what its own address has. */
export const APP_CREATED_PATH = '/github-app/created';

const failures = ['UNAUTHORIZED', 'FORBIDDEN', 'UNAVAILABLE'] as const;
const bodyFailures = [...failures, 'INVALID_REQUEST', 'MALFORMED_JSON', 'BODY_TOO_LARGE', 'GIT_APP_EXISTS'] as const;
const answered = { 'application/json': { schema: GithubAppSchema } };

const startRoute = createRoute({
  method: 'post',
  path: '/github-app/start',
  middleware: jsonIfAny,
  summary: "Begin to make the owner's GitHub App",
  description:
    'GitHub makes an App of a manifest that a browser sends to it, and leads back with a code and the state, which are for `POST /github-app/finish`. The App is private to the account that makes it.',
  request: { body: { required: false, content: { 'application/json': { schema: StartAppSchema } } } },
  responses: {
    200: { description: 'What to send', content: { 'application/json': { schema: AppStartSchema } } },
    ...problemResponses(ProblemSchema, ...bodyFailures, 'GIT_API_FORBIDDEN', 'SECRETS_UNREADABLE'),
  },
});

const finishRoute = createRoute({
  method: 'post',
  path: '/github-app/finish',
  middleware: jsonOnly,
  summary: "Take the owner's GitHub App over",
  description: 'Its key and the secret of its webhook are stored encrypted and never given back.',
  request: { body: { required: true, content: { 'application/json': { schema: FinishAppSchema } } } },
  responses: {
    201: { description: 'The App; install it on repositories now', content: answered },
    ...problemResponses(
      ProblemSchema,
      ...bodyFailures,
      ...(['GIT_APP_STATE_INVALID', 'GIT_APP_REFUSED', 'GIT_API_FORBIDDEN', 'SECRETS_UNREADABLE'] as const),
      'GIT_HOST_UNREACHABLE',
    ),
  },
});

const readAppRoute = createRoute({
  method: 'get',
  path: '/github-app',
  summary: "The owner's GitHub App",
  responses: {
    200: { description: 'The App', content: answered },
    ...problemResponses(ProblemSchema, ...failures, 'GIT_APP_MISSING'),
  },
});

const forgetRoute = createRoute({
  method: 'delete',
  path: '/github-app',
  summary: "Forget the owner's GitHub App",
  description: 'Its key is removed here; delete the App itself in its settings at GitHub.',
  responses: { 204: { description: 'Forgotten' }, ...problemResponses(ProblemSchema, ...failures, 'GIT_APP_MISSING') },
});

export function registerGithubApp(app: Api, deps: ApiDeps): void {
  const { apps, secretBox, clock } = deps;
  const view = ({ appId, slug, name, webUrl, installUrl, createdAt, createdBy }: GithubApp): GithubApp => ({
    ...{ appId, slug, name, webUrl, installUrl, createdAt, createdBy },
  });
  const requireNone = async (owner: string) => {
    if (await apps.read(owner)) failWith('GIT_APP_EXISTS');
  };

  app.openapi(startRoute, async (c) => {
    const owner = c.get('owner');
    const asked = c.req.valid('json');
    await requireNone(owner);
    const webUrl = asked.url === undefined ? GITHUB_COM : new URL(asked.url).origin;
    appApi(webUrl, deps.hostRules);
    const origin = deps.linkOrigin(c.env);
    const state = await sealState(secretBox, owner, webUrl, clock.now());
    const action = manifestAction(webUrl, asked, state);
    const manifest = appManifest({
      ...{ origin, name: asked.name, redirectUrl: origin + APP_CREATED_PATH },
      hookUrl: `${origin}/hooks/github-app/${encodeURIComponent(owner)}`,
    });
    return c.json({ action, manifest, state, page: manifestPage(action, manifest) }, 200);
  });

  app.openapi(finishRoute, async (c) => {
    const { owner, name: createdBy } = c.get('caller');
    const { code, state } = c.req.valid('json');
    const webUrl = await openState(secretBox, owner, state, clock.now());
    // Before the code is used, which can be used once.
    await requireNone(owner);
    const made = await convertCode(appApi(webUrl, deps.hostRules), webUrl, code, { clock, createdBy });
    if (!(await apps.create(owner, made.app, made.secrets))) return failWith('GIT_APP_EXISTS');
    await deps.audit({ owner, by: createdBy, action: 'github-app.create', subject: made.app.slug });
    return c.json(view(made.app), 201);
  });

  app.openapi(readAppRoute, async (c) => {
    const found = await apps.read(c.get('owner'));
    return found ? c.json(view(found), 200) : failWith('GIT_APP_MISSING');
  });

  app.openapi(forgetRoute, async (c) => {
    const { owner, name: by } = c.get('caller');
    if (!(await apps.forget(owner))) return failWith('GIT_APP_MISSING');
    await deps.audit({ owner, by, action: 'github-app.delete' });
    return c.body(null, 204);
  });

  app.get(APP_CREATED_PATH, (c) =>
    c.html(createdPage(c.req.query('code') ?? '', c.req.query('state') ?? ''), 200, {
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
    }),
  );
}
