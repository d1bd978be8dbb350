import { randomBytes } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { AcceptedSchema, ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import {
  ApprovalListSchema,
  ApproveSchema,
  GitSetupSchema,
  GitTokenSchema,
  WebhookSchema,
} from '../../../contract/gitApi.ts';
import type { GitHost } from '../../../contract/gitHosts.ts';
import { forkBranch } from '../../domain/gitDecision.ts';
import { deployCommit } from '../../shared/gitHosts/deployCommit.ts';
import { clearFault } from '../../shared/gitHosts/gitFault.ts';
import type { GitTarget } from '../../shared/gitHosts/gitRequest.ts';
import { connectedWith, findClosing } from '../../shared/gitHosts/gitState.ts';
import { bindToken } from '../../shared/gitHosts/hostToken.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import type { ApiDeps } from '../deps.ts';
import { acceptedAnswer } from '../view.ts';

const params = z.object({ id: ProjectIdSchema });
const readFailures = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETED', 'UNAVAILABLE'] as const;
const writeFailures = [...readFailures, 'PROJECT_DELETING', 'SECRETS_UNREADABLE'] as const;
const bodyFailures = [...writeFailures, 'MALFORMED_JSON', 'BODY_TOO_LARGE'] as const;

/** How long the secret before holds, so that no delivery is lost while the host gets the new one (ms). */
const FORMER_MS = 3_600_000;

/** In the words of each host. */
const EVENTS: Readonly<Record<GitHost, string[]>> = {
  github: ['push', 'pull_request', 'repository'],
  gitlab: ['Push events', 'Tag push events', 'Merge request events'],
  gitea: ['push', 'delete', 'pull_request', 'pull_request_sync'],
  bitbucket: [
    ...['repo:push', 'repo:updated', 'pullrequest:created', 'pullrequest:updated'],
    ...['pullrequest:fulfilled', 'pullrequest:rejected'],
  ],
};

const setupRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/git',
  summary: 'What is set up with the git host',
  description: 'The address of the hook, and whether its secret and a token were stored; neither is shown.',
  request: { params },
  responses: {
    200: { description: 'The setup', content: { 'application/json': { schema: GitSetupSchema } } },
    ...problemResponses(ProblemSchema, ...readFailures, 'SECRETS_UNREADABLE'),
  },
});

const webhookRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/webhook',
  summary: 'Make or change the secret of the webhook',
  description:
    'The answer is what the hook at the git host is to be made with, and the only one that shows the secret. The secret before holds for an hour.',
  request: { params },
  responses: {
    201: { description: 'The hook', content: { 'application/json': { schema: WebhookSchema } } },
    ...problemResponses(ProblemSchema, ...writeFailures, 'NOT_CONNECTED'),
  },
});

const putTokenRoute = createRoute({
  method: 'put',
  path: '/projects/{id}/git-token',
  middleware: jsonOnly,
  summary: 'Store the token for the git host',
  description:
    "It reads a private repository for deployments that pushes and pull requests start, and writes statuses and comments. It is encrypted and never given back; deployments of forks do not get it. It goes only to the host of the project's `gitUrl` and to the API of its connection, as they are when it is stored.",
  request: { params, body: { required: true, content: { 'application/json': { schema: GitTokenSchema } } } },
  responses: {
    204: { description: 'Stored' },
    ...problemResponses(ProblemSchema, ...bodyFailures, 'GIT_URL_MISSING'),
  },
});

const removeTokenRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/git-token',
  summary: 'Forget the token for the git host',
  request: { params },
  responses: { 204: { description: 'Forgotten' }, ...problemResponses(ProblemSchema, ...writeFailures) },
});

const listApprovalsRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/approvals',
  summary: 'Pull requests of forks that wait for a member',
  request: { params },
  responses: {
    200: { description: 'Newest first', content: { 'application/json': { schema: ApprovalListSchema } } },
    ...problemResponses(ProblemSchema, ...readFailures),
  },
});

const approveRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/approvals',
  middleware: jsonOnly,
  summary: 'Build a pull request of a fork',
  description:
    'At this commit alone; the next one waits again. It is built in the lane `untrusted`: without secrets and tokens, with caches of its own.',
  request: { params, body: { required: true, content: { 'application/json': { schema: ApproveSchema } } } },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: AcceptedSchema } } },
    ...problemResponses(ProblemSchema, ...bodyFailures, 'RATE_LIMITED', 'STORAGE_FULL'),
  },
});

const hookUrl = (origin: string, host: GitHost, projectId: string) => `${origin}/hooks/${host}/${projectId}`;

export function registerGit(app: Api, deps: ApiDeps): void {
  const activeProject = async (id: string, owner: string) => requireActive(await deps.findProject(id, owner));

  app.openapi(setupRoute, async (c) => {
    const { id } = c.req.valid('param');
    const project = await deps.findProject(id, c.get('owner'));
    const { connection } = project.settings;
    // Nothing delivers for a repository of no known host.
    const host = connection?.host === 'git' ? undefined : connection?.host;
    const { webhook, formerWebhook, token } = await deps.gitSecrets.read(project);
    const former = formerWebhook && Date.parse(formerWebhook.until) > deps.clock.now() ? formerWebhook : undefined;
    return c.json(
      {
        ...(host && { hookUrl: hookUrl(deps.linkOrigin(c.env), host, id) }),
        events: host ? EVENTS[host] : [],
        webhook: { made: webhook !== undefined, ...(former && { formerUntil: former.until }) },
        token: token !== undefined,
      },
      200,
    );
  });

  app.openapi(webhookRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    const project = await activeProject(id, owner);
    const { connection } = project.settings;
    if (!connection || connection.host === 'git') return failWith('NOT_CONNECTED', { projectId: id });
    const { webhook: before } = await deps.gitSecrets.read(project);
    const bytes = randomBytes(32);
    // The form that GitLab asks of tokens which it signs with.
    const secret = connection.host === 'gitlab' ? `whsec_${bytes.toString('base64')}` : bytes.toString('base64url');
    const until = new Date(deps.clock.now() + FORMER_MS).toISOString();
    const formerWebhook = before === undefined ? null : { secret: before, until };
    await deps.gitSecrets.change(project, { webhook: secret, formerWebhook });
    await deps.gitState.forgetRepository(project);
    await clearFault(deps, id, ['GIT_REPOSITORY_REPLACED']);
    await deps.audit({ owner, by, action: 'webhook.secret', projectId: id });
    const url = hookUrl(deps.linkOrigin(c.env), connection.host, id);
    return c.json({ url, secret, contentType: 'application/json' as const, events: EVENTS[connection.host] }, 201);
  });

  app.openapi(putTokenRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    const project = await activeProject(id, owner);
    const { settings } = project;
    if (settings.gitUrl === undefined) return failWith('GIT_URL_MISSING', { projectId: id });
    await deps.gitSecrets.change(project, { token: bindToken(c.req.valid('json').token, settings) });
    await clearFault(deps, id, ['GIT_TOKEN_ELSEWHERE', 'GIT_TOKEN_REFUSED']);
    await deps.audit({ owner, by, action: 'git-token.set', projectId: id });
    return c.body(null, 204);
  });

  app.openapi(removeTokenRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    const project = await activeProject(id, owner);
    await deps.gitSecrets.change(project, { token: null });
    await clearFault(deps, id, ['GIT_TOKEN_ELSEWHERE', 'GIT_TOKEN_REFUSED']);
    await deps.audit({ owner, by, action: 'git-token.remove', projectId: id });
    return c.body(null, 204);
  });

  app.openapi(listApprovalsRoute, async (c) => {
    const { id } = c.req.valid('param');
    const project = await deps.findProject(id, c.get('owner'));
    const of = connectedWith(project.settings);
    const held = of ? (await deps.gitState.read(project, of)).held : [];
    return c.json({ items: held.map(({ gitUrl: _, ...item }) => item) }, 200);
  });

  app.openapi(approveRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { number, commit } = c.req.valid('json');
    const { owner, name: by } = c.get('caller');
    const project = await activeProject(id, owner);
    const { settings } = project;
    const { connection } = settings;
    const of = connectedWith(settings);
    const state = of && (await deps.gitState.read(project, of));
    const held = state?.held.find((one) => one.number === number && one.commit === commit);
    if (!state || !held) return failWith('NOT_FOUND', { what: `pull request ${number} that waits at this commit` });
    const target: GitTarget = {
      ...{ projectId: id, gitUrl: held.gitUrl, commit: held.commit, environment: 'preview', untrusted: true },
      ref: { kind: 'branch', name: forkBranch(number) },
      closing: findClosing(state, forkBranch(number)),
      trigger: {
        ...{ kind: 'pullRequest', number, isFork: true },
        ...(connection && { host: connection.host, repository: connection.repository }),
        ...(held.author !== undefined && { by: held.author }),
      },
    };
    const record = await deployCommit(deps, owner, target, c.get('correlationId'));
    // Only now: whoever approves again after a fault gets the same deployment.
    await deps.gitState.approve(project, of, held);
    const detail = `pull request ${number} at ${held.commit}`;
    await deps.audit({ owner, by, action: 'deployment.approve', projectId: id, subject: record.deploymentId, detail });
    return c.json(acceptedAnswer(deps.linkOrigin(c.env), record), 202);
  });
}
