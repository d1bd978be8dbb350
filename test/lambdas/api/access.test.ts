import { ROLES, SCOPES, type Scope } from '../../../contract/people.ts';
import { accessOf, declaredAccess } from '../../../lambdas/shared/http/access.ts';
import { apiApp, apiFixture } from '../../support/api.ts';

/** Paths that need no token, and so no scope. */
const OPEN = ['/healthz', '/openapi.json', '/veren.schema.json', '/github-app/created'];

/** Their secret is the right to them: `hooks.test.ts`. */
const HOOKS = ['/hooks/deploy/:secret', '/hooks/github-app/:owner', '/hooks/:host/:projectId'];

/** Every route of the app, in the OpenAPI document or not, by method and path. */
async function listRoutes() {
  const { app } = await apiApp();
  const routes = app.routes.filter(({ method, path }) => method !== 'ALL' && ![...OPEN, ...HOOKS].includes(path));
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))].map(
    (route) => route.split(' ') as [string, string],
  );
}

/** A token of ada with this scope. */
async function makeToken(api: Awaited<ReturnType<typeof apiFixture>>, scope: Scope, over: object = {}) {
  const made = await api.call('POST', '/tokens', { name: `t-${scope}-${Math.random()}`, scope, ...over });
  expect(made.status).toBe(201);
  return made.body.token as string;
}

describe('who may do what', () => {
  test('every route says which scope it needs', async () => {
    const routes = await listRoutes();
    expect(routes.length).toBeGreaterThan(12);
    expect(routes.filter(([method, path]) => !declaredAccess(method, path))).toEqual([]);
  });

  test('no path is open but those that are known', async () => {
    const { app } = await apiApp();
    const open: string[] = [];
    for (const { method, path } of app.routes) {
      if (method === 'ALL' || HOOKS.includes(path)) continue;
      const { status } = await app.request(`http://api.example${path.replaceAll(/:\w+/g, 'x')}`, { method });
      if (status !== 401) open.push(path);
    }
    expect([...new Set(open)].sort()).toEqual([...OPEN].sort());
  });

  test('a route that nobody has declared needs the most that it could', () => {
    expect(accessOf('GET', '/secrets')).toEqual({ scope: 'read', wholeOwner: true });
    expect(accessOf('POST', '/secrets')).toEqual({ scope: 'admin', wholeOwner: true });
    expect(accessOf('DELETE', '/projects/:id/all')).toEqual({ scope: 'admin', wholeOwner: false });
  });

  test('the table: every route with a token of every scope', async () => {
    const api = await apiFixture();
    const table: string[] = [];
    const tokens = new Map<Scope, string>();
    for (const scope of SCOPES) tokens.set(scope, await makeToken(api, scope));
    for (const [method, path] of await listRoutes()) {
      const allowed: Scope[] = [];
      for (const scope of SCOPES) {
        const body = method === 'GET' || method === 'DELETE' ? undefined : {};
        const answer = await api.call(method, path.replaceAll(/:\w+/g, 'unknown'), body, { as: tokens.get(scope)! });
        if (answer.body.code === 'FORBIDDEN') expect(answer.body.detail).toContain('scope');
        else allowed.push(scope);
        expect([401, 500]).not.toContain(answer.status);
      }
      table.push(`${method} ${path}: ${allowed.join(' ')}`);
    }
    expect(table.toSorted()).toMatchInlineSnapshot(`
[
  "DELETE /github-app: admin",
  "DELETE /members/:name: admin",
  "DELETE /projects/:id/cache: deploy admin",
  "DELETE /projects/:id/deploy-hooks/:hook: admin",
  "DELETE /projects/:id/domains/:name: admin",
  "DELETE /projects/:id/git-token: admin",
  "DELETE /projects/:id/notifications/:notification: admin",
  "DELETE /projects/:id/variables/:name: admin",
  "DELETE /projects/:id/variables: admin",
  "DELETE /projects/:id: admin",
  "DELETE /tokens/:id: admin",
  "GET /audit: admin",
  "GET /deployments/:id/files: read deploy admin",
  "GET /deployments/:id/logs: read deploy admin",
  "GET /deployments/:id: read deploy admin",
  "GET /deployments: read deploy admin",
  "GET /github-app: admin",
  "GET /members: read deploy admin",
  "GET /projects/:id/approvals: deploy admin",
  "GET /projects/:id/costs: read deploy admin",
  "GET /projects/:id/deploy-hooks: deploy admin",
  "GET /projects/:id/domains/:name: read deploy admin",
  "GET /projects/:id/domains: read deploy admin",
  "GET /projects/:id/git: deploy admin",
  "GET /projects/:id/logs: deploy admin",
  "GET /projects/:id/notifications: deploy admin",
  "GET /projects/:id/releases: read deploy admin",
  "GET /projects/:id/service: read deploy admin",
  "GET /projects/:id/variables/:name: deploy admin",
  "GET /projects/:id/variables: deploy admin",
  "GET /projects/:id: read deploy admin",
  "GET /projects: read deploy admin",
  "GET /queue: read deploy admin",
  "GET /tokens: admin",
  "GET /usage: read deploy admin",
  "GET /whoami: read deploy admin",
  "PATCH /projects/:id: admin",
  "POST /analyze: deploy admin",
  "POST /deployments/:id/cancel: deploy admin",
  "POST /deployments/:id/promote: deploy admin",
  "POST /deployments/:id/redeploy: deploy admin",
  "POST /deployments: deploy admin",
  "POST /github-app/finish: admin",
  "POST /github-app/start: admin",
  "POST /projects/:id/approvals: deploy admin",
  "POST /projects/:id/deploy-hooks: admin",
  "POST /projects/:id/notifications/:notification/test: admin",
  "POST /projects/:id/notifications: admin",
  "POST /projects/:id/pin: deploy admin",
  "POST /projects/:id/releases: deploy admin",
  "POST /projects/:id/restore: admin",
  "POST /projects/:id/rollback: deploy admin",
  "POST /projects/:id/unpin: deploy admin",
  "POST /projects/:id/uploads: deploy admin",
  "POST /projects/:id/webhook: admin",
  "POST /tickets: read deploy admin",
  "POST /tokens: admin",
  "PUT /members/:name: admin",
  "PUT /projects/:id/domains/:name: admin",
  "PUT /projects/:id/git-token: admin",
  "PUT /projects/:id/preview-password: admin",
  "PUT /projects/:id/variables/:name: admin",
  "PUT /projects/:id/variables: admin",
  "PUT /projects/:id: admin",
]
`);
  });

  test('a token that is limited to projects is good for no other, on any route', async () => {
    const api = await apiFixture();
    const gitUrl = 'https://git.example/x.git';
    const shop = await api.call('POST', '/deployments', { projectId: 'shop', gitUrl });
    const blog = await api.call('POST', '/deployments', { projectId: 'blog', gitUrl });
    const as = await makeToken(api, 'admin', { projects: ['shop', 'new'] });
    for (const [method, path] of await listRoutes()) {
      const named = path.startsWith('/deployments/');
      const body = named || method === 'GET' || method === 'DELETE' ? undefined : { projectId: 'blog', gitUrl };
      const ids = path.startsWith('/deployments')
        ? [blog.body.deploymentId]
        : ['blog', '%62log', 'b%6cog', 'shop%2f..%2fblog'];
      for (const id of ids) {
        const answer = await api.call(method, path.replaceAll(/:\w+/g, id), body, { as });
        const { code } = answer.body;
        // Also a list shows nothing of other projects.
        if (method === 'GET' && answer.status === 200) expect(JSON.stringify(answer.body)).not.toContain('blog');
        if (/^\/(projects|deployments)\/:/.test(path)) expect([path, id, code]).toEqual([path, id, 'NOT_FOUND']);
        else if (accessOf(method, path).wholeOwner) expect([path, code]).toEqual([path, 'FORBIDDEN']);
      }
    }
    const post = (projectId: string) => api.call('POST', '/deployments', { projectId, gitUrl }, { as });
    expect((await post('blog')).body.code).toBe('NOT_FOUND');
    expect((await post('another')).body.code).toBe('NOT_FOUND');
    expect((await post('shop')).status).toBe(202);
    // Its admin has named this project, so it may be made.
    expect((await post('new')).status).toBe(202);
    expect((await api.call('GET', `/deployments/${shop.body.deploymentId}`, undefined, { as })).status).toBe(200);
    const listed = await api.call('GET', '/deployments', undefined, { as });
    expect(listed.body.items.map((d: { projectId: string }) => d.projectId)).toEqual(['new', 'shop', 'shop']);
    expect((await api.call('GET', '/deployments?projectId=blog', undefined, { as })).body).toEqual({ items: [] });
  });

  test('a list that is filtered goes through all pages, also empty ones, and misses nothing', async () => {
    const api = await apiFixture();
    const gitUrl = 'https://git.example/x.git';
    const wanted: string[] = [];
    for (let i = 0; i < 40; i++) {
      const projectId = i % 10 === 3 ? (i % 20 === 3 ? 'shop' : 'blog') : 'other';
      const made = await api.call('POST', '/deployments', { projectId, gitUrl });
      if (projectId !== 'other') wanted.unshift(made.body.deploymentId);
    }
    const as = await makeToken(api, 'read', { projects: ['shop', 'blog'] });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const path = `/deployments?limit=1${cursor ? `&cursor=${cursor}` : ''}`;
      const { body } = await api.call('GET', path, undefined, { as });
      seen.push(...body.items.map((d: { deploymentId: string }) => d.deploymentId));
      cursor = body.cursor;
    } while (cursor);
    expect(seen).toEqual(wanted);
  });

  test('headers that other servers take for a method or a token change nothing', async () => {
    const api = await apiFixture();
    const as = await makeToken(api, 'read');
    const headers = { 'X-HTTP-Method-Override': 'GET', 'X-Original-Method': 'GET', 'X-Veren-Scope': 'admin' };
    expect((await api.call('POST', '/tokens', { name: 'x', scope: 'admin' }, { as, headers })).status).toBe(403);
    expect((await api.call('HEAD', '/audit', undefined, { as })).status).toBe(403);
    for (const path of ['/tokens/', '//tokens', '/./tokens', '/TOKENS', '/%74okens', '/tokens%2f'])
      expect([path, (await api.call('POST', path, { name: 'x', scope: 'admin' }, { as })).status >= 400]).toEqual([
        path,
        true,
      ]);
    const { body } = await api.call('GET', '/tokens');
    expect(body.items).toHaveLength(1);
  });

  test('every pair of a role and a scope allows what both allow', async () => {
    const api = await apiFixture();
    const routes = { read: 'GET /members', deploy: 'POST /deployments/x/cancel', admin: 'GET /tokens' } as const;
    for (const role of ROLES) {
      await api.call('PUT', `/members/${role}`, { role });
      for (const scope of SCOPES) {
        const as = await makeToken(api, scope, { member: role });
        const allowed = [];
        for (const needed of SCOPES) {
          const [method = '', path = ''] = routes[needed].split(' ');
          if ((await api.call(method, path, undefined, { as })).status !== 403) allowed.push(needed);
        }
        const most = Math.min(ROLES.indexOf(role), SCOPES.indexOf(scope));
        expect([role, scope, allowed]).toEqual([role, scope, SCOPES.slice(0, most + 1)]);
      }
    }
  });

  test('the OpenAPI document tells the scope of every operation, and its refusals', async () => {
    const api = await apiFixture();
    const { body } = await api.call('GET', '/openapi.json', undefined, { as: null });
    const operations = Object.values(
      body.paths as Record<
        string,
        Record<string, { description: string; responses: Record<number, { content?: object }> }>
      >,
    );
    const hooks = Object.keys(body.paths).filter((path) => path.startsWith('/hooks/'));
    expect(hooks).toHaveLength(HOOKS.length);
    for (const path of hooks) expect(body.paths[path].post.security).toEqual([]);
    for (const operation of operations.flatMap((o) => Object.values(o)).filter((o) => !('security' in o))) {
      expect(operation.description).toMatch(/Needs the scope `(read|deploy|admin)`/);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['403', '429']));
    }
    for (const operation of operations.flatMap((o) => Object.values(o)).filter((o) => !('security' in o)))
      expect(operation.responses[403]?.content).toBeDefined();
  });
});

test('a token that is limited to projects learns no other name, page by page', async () => {
  const api = await apiFixture();
  for (const id of ['a', 'b', 'c', 'd']) await api.call('PUT', `/projects/${id}`, {});
  const token = await makeToken(api, 'read', { projects: ['b', 'd', 'none'] });
  const seen: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await api.call('GET', `/projects?limit=1${query}`, undefined, { as: token });
    seen.push(...body.items.map(({ projectId }: { projectId: string }) => projectId));
    expect(['b', 'd', undefined]).toContain(body.cursor);
    cursor = body.cursor;
  }
  expect(seen).toEqual(['b', 'd']);
});

test('an admin revokes a stolen token that uses up what the owner may ask', async () => {
  const api = await apiFixture({ limits: { all: { requestsPerMinute: 5 }, owners: {} } });
  const made = await api.call('POST', '/tokens', { name: 'stolen', scope: 'read' });
  const floods = Array.from({ length: 10 }, () => api.call('GET', '/projects', undefined, { as: made.body.token }));
  expect((await Promise.all(floods)).at(-1)?.status).toBe(429);
  expect((await api.call('GET', '/usage')).status).toBe(429);
  expect((await api.call('DELETE', `/tokens/${made.body.id}`)).status).toBe(204);
});
