import { createRoute, z } from '@hono/zod-openapi';
import { AcceptedSchema, ProblemSchema } from '../../../contract/api.ts';
import { DeliveryAnswerSchema } from '../../../contract/gitApi.ts';
import { GIT_HOSTS, type GitHost } from '../../../contract/gitHosts.ts';
import type { Api } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { receiveAppDelivery } from '../hooks/receiveAppDelivery.ts';
import { receiveDelivery } from '../hooks/receiveDelivery.ts';
import { runDeployHook } from '../hooks/runDeployHook.ts';
import { acceptedAnswer } from '../view.ts';

/** Below it no token is needed: whoever calls shows that they know the secret of a hook. */
export const HOOKS_PREFIX = '/hooks/';

const deployRoute = createRoute({
  method: 'post',
  path: '/hooks/deploy/{secret}',
  summary: 'Deploy by a deploy hook',
  description: 'The secret in the address is the right to it, so no token is needed. A body is not read.',
  security: [],
  request: { params: z.object({ secret: z.string() }) },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: AcceptedSchema } } },
    ...problemResponses(
      ProblemSchema,
      ...([
        'HOOK_REFUSED',
        'BODY_TOO_LARGE',
        'GIT_URL_MISSING',
        'RATE_LIMITED',
        'STORAGE_FULL',
        'UNAVAILABLE',
      ] as const),
      'SECRETS_UNREADABLE',
    ),
  },
});

const appRoute = createRoute({
  method: 'post',
  path: '/hooks/github-app/{owner}',
  summary: "Take a delivery of an owner's GitHub App",
  description:
    'Signed with the secret of the App; the projects are those that its body is about. Repeats are harmless.',
  security: [],
  request: { params: z.object({ owner: z.string().max(200) }) },
  responses: {
    202: { description: 'Taken', content: { 'application/json': { schema: DeliveryAnswerSchema } } },
    ...problemResponses(
      ProblemSchema,
      ...(['MALFORMED_JSON', 'HOOK_REFUSED', 'BODY_TOO_LARGE', 'SECRETS_UNREADABLE'] as const),
      ...(['UNAVAILABLE', 'DISK_FULL', 'INVALID_REQUEST'] as const),
    ),
  },
});

const deliveryRoute = createRoute({
  method: 'post',
  path: '/hooks/{host}/{projectId}',
  summary: 'Take a delivery of a git host',
  description:
    'What the host signs with the secret of `POST /projects/{id}/webhook`: JSON in the form of GitHub, GitLab, Gitea (and Forgejo) or Bitbucket. Repeats are harmless.',
  security: [],
  request: { params: z.object({ host: z.string(), projectId: z.string() }) },
  responses: {
    202: { description: 'Taken', content: { 'application/json': { schema: DeliveryAnswerSchema } } },
    ...problemResponses(
      ProblemSchema,
      ...(['MALFORMED_JSON', 'HOOK_REFUSED', 'NOT_FOUND', 'BODY_TOO_LARGE', 'SECRETS_UNREADABLE'] as const),
      ...(['UNAVAILABLE', 'DISK_FULL'] as const),
    ),
  },
});

/** The form of ids; no other text becomes part of a key. */
const PROJECT = /^[a-z0-9](-?[a-z0-9])*$/;
const isHost = (name: string): name is GitHost => (GIT_HOSTS as readonly string[]).includes(name);

export function registerHooks(app: Api, deps: ApiDeps): void {
  app.openapi(deployRoute, async (c) => {
    const record = await runDeployHook(deps, c.req.valid('param').secret, c.get('correlationId'));
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), record), 202);
  });

  app.openapi(appRoute, async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const header = (name: string) => c.req.header(name);
    return c.json(await receiveAppDelivery(deps, { owner: c.req.valid('param').owner, header, body }), 202);
  });

  app.openapi(deliveryRoute, async (c) => {
    const { host, projectId } = c.req.valid('param');
    if (!isHost(host)) return failWith('NOT_FOUND', { what: `git host "${host.slice(0, 20)}"` });
    if (projectId.length > 63 || !PROJECT.test(projectId)) return failWith('HOOK_REFUSED');
    const body = new Uint8Array(await c.req.arrayBuffer());
    const header = (name: string) => c.req.header(name);
    return c.json(await receiveDelivery(deps, { host, projectId, header, body }), 202);
  });
}
