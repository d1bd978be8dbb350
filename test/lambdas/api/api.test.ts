import { ERRORS } from '../../../contract/errors.ts';
import { NODE_MAJORS } from '../../../contract/node-lines.ts';
import { apiFixture } from '../../support/api.ts';
import { COMMIT, event, frontendPlan } from '../../support/events.ts';

const valid = { projectId: 'site', gitUrl: 'https://git.example/me/site.git' };
type Fixture = Awaited<ReturnType<typeof apiFixture>>;

/** A problem answer of RFC 9457 with a code of the table. */
function expectProblem(answer: Awaited<ReturnType<Fixture['call']>>, code: keyof typeof ERRORS) {
  expect(answer.body).toMatchObject({ code, status: ERRORS[code].status, type: `urn:veren:error:${code}` });
  expect(answer.status).toBe(ERRORS[code].status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
}

describe('POST /deployments', () => {
  it('accepts, stores, queues and rings', async () => {
    const api = await apiFixture();
    let rung = 0;
    api.ports.waker.on('clone-worker', async () => void rung++);
    const answer = await api.call('POST', '/deployments', { ...valid, ref: 'main', env: { A: '1' } });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ projectId: 'site', status: 'queued' });
    const { deploymentId, links } = answer.body;
    expect(links.logs).toBe(`http://api.example/deployments/${deploymentId}/logs`);
    expect(await api.ports.queue.get('clone', deploymentId)).toMatchObject({
      owner: 'ada',
      data: { request: { ...valid, ref: 'main', sealed: expect.any(String) } },
    });
    await new Promise((r) => setTimeout(r, 20));
    expect(rung).toBe(1);
    const record = await api.call('GET', `/deployments/${deploymentId}`);
    expect(record.body).toMatchObject({
      deploymentId,
      owner: 'ada',
      ref: 'main',
      commit: null,
      plan: null,
      builds: {},
    });
    expect(JSON.stringify(record.body)).not.toContain('"env"');
  });

  it.each<[string, object, string[]]>([
    ['no fields', {}, ['projectId']],
    ['an unknown field', { ...valid, branch: 'x' }, ['branch']],
    ['an unknown field of a target', { ...valid, frontend: { dir: 'x' } }, ['frontend.dir']],
    ['several faults at once', { projectId: 'A_b', gitUrl: '', ref: '--x' }, ['projectId', 'gitUrl', 'ref']],
    ['a project id with a double dash', { ...valid, projectId: 'a--b' }, ['projectId']],
    ['a project id that is too long', { ...valid, projectId: 'a'.repeat(64) }, ['projectId']],
    ['an option-like ref', { ...valid, ref: '--upload-pack=x' }, ['ref']],
    ['a ref with a newline', { ...valid, ref: 'a\nb' }, ['ref']],
    ['a path that leaves the repository', { ...valid, frontend: { path: 'a/../../b' } }, ['frontend.path']],
    ['an absolute path', { ...valid, backend: { path: '/etc' } }, ['backend.path']],
    ['a Node version without a builder', { ...valid, frontend: { nodeVersion: 19 } }, ['frontend.nodeVersion']],
    ['true for a target', { ...valid, frontend: true }, ['frontend']],
    ['a reserved variable', { ...valid, env: { AWS_SECRET_ACCESS_KEY: 'x', OK: 'y' } }, ['env.AWS_SECRET_ACCESS_KEY']],
    ['a variable that is not a name', { ...valid, env: { 'a-b': 'x' } }, ['env.a-b']],
    ['a token with a newline', { ...valid, gitToken: 'a\nb' }, ['gitToken']],
  ])('refuses %s and names every field', async (_, body, fields) => {
    const api = await apiFixture();
    const answer = await api.call('POST', '/deployments', body);
    expectProblem(answer, 'INVALID_REQUEST');
    expect(answer.body.errors.map((e: { field: string }) => e.field).sort()).toEqual(fields.sort());
    for (const e of answer.body.errors) expect(e.message).not.toBe('');
    expect(await api.ports.queue.list('clone', 'waiting')).toEqual([]);
  });

  it.each([
    'ext::sh -c id',
    '--upload-pack=id',
    'ssh://git@host/x',
    'git@github.com:a/b.git',
    'https://user:pw@host/x',
    'ftp://host/x',
    'nonsense',
  ])('refuses the git URL %s', async (gitUrl) => {
    const api = await apiFixture();
    const answer = await api.call('POST', '/deployments', { ...valid, gitUrl });
    expectProblem(answer, 'GIT_URL_UNSUPPORTED');
    expect(answer.body.detail).not.toContain(':pw@');
  });

  it('takes 64 KiB of variables, whatever JSON makes of them, and names the limit of what is more', async () => {
    const api = await apiFixture();
    const deploy = (env: Record<string, string>) => api.call('POST', '/deployments', { ...valid, env });
    expect((await deploy({ A: '\u0001'.repeat(65_536) })).status).toBe(202);
    const names = Array.from({ length: 100 }, (_, i) => `N${i}`.padEnd(128, 'X'));
    const env = Object.fromEntries(names.map((name, i) => [name, 'ä'.repeat(i === 0 ? 32_768 : 0)]));
    expect((await deploy(env)).status).toBe(202);
    const answer = await deploy({ ...env, [names[1]!]: 'x' });
    expectProblem(answer, 'INVALID_REQUEST');
    expect(JSON.stringify(answer.body.errors)).toContain('78536 bytes');
  });

  it('refuses malformed JSON, another content type, a body too large', async () => {
    const api = await apiFixture();
    expectProblem(await api.call('POST', '/deployments', '{"a":'), 'MALFORMED_JSON');
    const text = await api.call('POST', '/deployments', undefined, { headers: { 'Content-Type': 'text/plain' } });
    expectProblem(text, 'MALFORMED_JSON');
    expectProblem(await api.call('POST', '/deployments', { ...valid, x: 'y'.repeat(600_000) }), 'BODY_TOO_LARGE');
  });

  it('answers a repeat with the same key as the first time, another request with 422', async () => {
    const api = await apiFixture();
    const headers = { 'Idempotency-Key': 'k1' };
    const first = await api.call('POST', '/deployments', { ...valid, ref: 'main' }, { headers });
    const again = await api.call('POST', '/deployments', { ref: 'main', ...valid }, { headers });
    expect(again.body).toEqual(first.body);
    expect(await api.ports.queue.list('clone', 'waiting')).toHaveLength(1);
    expectProblem(await api.call('POST', '/deployments', valid, { headers }), 'IDEMPOTENCY_KEY_REUSED');
    const other = await api.call('POST', '/deployments', { ...valid, projectId: 'bobs' }, { headers, as: 'bob' });
    expect(other.status).toBe(202);
  });

  it('finishes with the repeat what broke off in the first call', async () => {
    let broken = true;
    const api = await apiFixture();
    const bus = {
      publish: async (...args: Parameters<typeof api.ports.bus.publish>) => {
        if (broken) throw new Error('Kafka is away');
        published.push(...args[1]);
      },
    };
    const published: { value: string }[] = [];
    const failing = await apiFixture({ bus, store: api.ports.store, queue: api.ports.queue });
    const headers = { 'Idempotency-Key': 'k1' };
    expectProblem(await failing.call('POST', '/deployments', valid, { headers }), 'INTERNAL');
    expect(failing.logged).toHaveLength(1);
    broken = false;
    const answer = await failing.call('POST', '/deployments', valid, { headers });
    expect(answer.status).toBe(202);
    const { deploymentId } = answer.body;
    expect(published.map((m) => JSON.parse(m.value))).toMatchObject([{ type: 'deployment.requested', deploymentId }]);
    expect((await api.ports.queue.list('clone', 'waiting')).map((j) => j.id)).toEqual([deploymentId]);
  });
});

describe('owners', () => {
  it.each(['GET /deployments', 'POST /deployments', 'GET /deployments/x', 'POST /analyze', 'GET /nothing'])(
    'asks for a token: %s',
    async (call) => {
      const api = await apiFixture();
      const [method, path] = call.split(' ') as [string, string];
      const answer = await api.call(method, path, method === 'POST' ? valid : undefined, { as: null });
      expectProblem(answer, 'UNAUTHORIZED');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      const wrong = await api.call(method, path, undefined, { as: null, headers: { Authorization: 'Bearer nobodys' } });
      expectProblem(wrong, 'UNAUTHORIZED');
    },
  );

  it('does not show one owner what another has', async () => {
    const api = await apiFixture();
    const { deploymentId } = (await api.call('POST', '/deployments', valid)).body;
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/logs'],
      ['POST', '/cancel'],
      ['POST', '/redeploy'],
    ] as const)
      expectProblem(
        await api.call(method, `/deployments/${deploymentId}${path}`, undefined, { as: 'bob' }),
        'NOT_FOUND',
      );
    expectProblem(await api.call('POST', '/deployments', valid, { as: 'bob' }), 'NOT_FOUND');
    expect((await api.call('GET', '/deployments', undefined, { as: 'bob' })).body).toEqual({ items: [] });
  });
});

describe('GET /deployments', () => {
  it('pages, newest first, one project or all', async () => {
    const api = await apiFixture();
    const ids: string[] = [];
    for (const projectId of ['a', 'b', 'a', 'a']) {
      ids.unshift((await api.call('POST', '/deployments', { ...valid, projectId })).body.deploymentId);
      await new Promise((r) => setTimeout(r, 2));
    }
    const list = async (query: string) => (await api.call('GET', `/deployments?${query}`)).body;
    const idsOf = (page: { items: { deploymentId: string }[] }) => page.items.map((d) => d.deploymentId);
    const first = await list('limit=3');
    expect(idsOf(first)).toEqual(ids.slice(0, 3));
    const second = await list(`limit=3&cursor=${first.cursor}`);
    expect(idsOf(second)).toEqual(ids.slice(3));
    expect(second.cursor).toBeUndefined();
    expect(idsOf(await list('projectId=b'))).toEqual([ids[2]]);
    for (const bad of ['limit=0', 'limit=x', 'limit=1000', 'projectId=A', 'other=1'])
      expectProblem(await api.call('GET', `/deployments?${bad}`), 'INVALID_REQUEST');
  });
});

describe('a deployment that moves on', () => {
  async function analyzed() {
    const api = await apiFixture();
    const { deploymentId } = (await api.call('POST', '/deployments', valid)).body;
    const fold = (...events: ReturnType<typeof event>[]) => api.ports.store.fold(deploymentId, events);
    // After the request, whose time is the real clock's.
    const at = 60 * 60 * 24 * 365 * 10;
    await fold(event(at, { type: 'deployment.analyzed', plan: frontendPlan() }, deploymentId));
    return { api, deploymentId, fold, at };
  }

  it('shows the place in the queue and the address of the site', async () => {
    const { api, deploymentId, fold, at } = await analyzed();
    const job = (id: string) => ({ id, data: {}, owner: 'ada', projectId: 'site' });
    await api.ports.queue.enqueue('build', job('someone-frontend'));
    await api.ports.queue.enqueue('build', job(`${deploymentId}-frontend`));
    const waiting = await api.call('GET', `/deployments/${deploymentId}`);
    expect(waiting.body.builds.frontend).toMatchObject({ status: 'queued', position: 2 });
    const artifact = { kind: 'static' as const, bucket: 'b', prefix: '__outputs/site/', files: 3, bytes: 9 };
    await fold(
      event(at + 1, { type: 'build.succeeded', target: 'frontend', attempt: 1, artifact, logLines: 0 }, deploymentId),
    );
    const done = await api.call('GET', `/deployments/${deploymentId}`);
    expect(done.body).toMatchObject({ status: 'succeeded', commit: COMMIT });
    expect(done.body.builds.frontend.artifact).toEqual({ ...artifact, url: 'http://site.example' });
    expect(done.body.builds.frontend.position).toBeUndefined();
  });

  it('is canceled once, and not when it has ended', async () => {
    const { api, deploymentId, fold, at } = await analyzed();
    expect((await api.call('POST', `/deployments/${deploymentId}/cancel`)).status).toBe(202);
    expect(api.stopped).toEqual([deploymentId]);
    await fold(event(at + 1, { type: 'deployment.canceled', reason: 'user' }, deploymentId));
    const again = await api.call('POST', `/deployments/${deploymentId}/cancel`);
    expectProblem(again, 'ALREADY_FINISHED');
    expect(again.body.detail).toContain('canceled');
  });

  it.each<[string, unknown, Record<string, string>]>([
    ['no body, and the type that the client sends with all', undefined, { 'Content-Type': 'application/json' }],
    ['a body of no bytes', '', { 'Content-Type': 'application/json' }],
    ['a body of no bytes and of any type', '', { 'Content-Type': 'text/plain' }],
  ])('is deployed again by a request with %s', async (_, body, headers) => {
    const { api, deploymentId } = await analyzed();
    expect((await api.call('POST', `/deployments/${deploymentId}/redeploy`, body, { headers })).status).toBe(202);
  });

  it('is deployed again at the commit that was built', async () => {
    const { api, deploymentId } = await analyzed();
    const answer = await api.call('POST', `/deployments/${deploymentId}/redeploy`);
    expect(answer.status).toBe(202);
    expect(answer.body.deploymentId).not.toBe(deploymentId);
    const job = await api.ports.queue.get('clone', answer.body.deploymentId);
    expect(job?.data).toMatchObject({ request: { ...valid, ref: COMMIT } });
  });

  it('gives its log as NDJSON and as events that can be resumed', async () => {
    const { api, deploymentId, fold, at } = await analyzed();
    const line = (n: number) => ({
      at: new Date(0).toISOString(),
      target: 'frontend' as const,
      stream: 'stdout' as const,
      line: `line ${n}`,
      attempt: 1,
      n,
    });
    await api.ports.logs.append(deploymentId, [line(0), line(1), line(2)]);
    const whole = await api.call('GET', `/deployments/${deploymentId}/logs`);
    expect(whole.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = String(whole.body)
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(lines.map((l) => [l.seq, l.line])).toEqual([
      [1, 'line 0'],
      [2, 'line 1'],
      [3, 'line 2'],
    ]);

    const artifact = { kind: 'static' as const, bucket: 'b', prefix: 'p', files: 3, bytes: 9 };
    await fold(
      event(at + 1, { type: 'build.succeeded', target: 'frontend', attempt: 1, artifact, logLines: 4 }, deploymentId),
    );
    const followed = api.call('GET', `/deployments/${deploymentId}/logs`, undefined, {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': '1' },
    });
    // The last line comes after the end was recorded: the stream waits for it.
    await new Promise((r) => setTimeout(r, 100));
    await api.ports.logs.append(deploymentId, [line(3)]);
    const text = String((await followed).body);
    expect([...text.matchAll(/^id: (\d+)$/gm)].map((m) => m[1])).toEqual(['2', '3', '4']);
    expect(text).toContain('event: status');
    expect(text.trim().endsWith('event: end\ndata: {"status":"succeeded"}')).toBe(true);
  });
});

describe('documents', () => {
  it('needs no token for health and OpenAPI', async () => {
    const api = await apiFixture();
    expect((await api.call('GET', '/healthz', undefined, { as: null })).body).toEqual({ status: 'ok' });
    const openapi = (await api.call('GET', '/openapi.json', undefined, { as: null })).body;
    expect(openapi.openapi).toBe('3.1.0');
    expect(Object.keys(openapi.paths).sort()).toEqual([
      '/analyze',
      '/audit',
      '/deployments',
      '/deployments/{id}',
      '/deployments/{id}/cancel',
      '/deployments/{id}/files',
      '/deployments/{id}/logs',
      '/deployments/{id}/promote',
      '/deployments/{id}/redeploy',
      '/github-app',
      '/github-app/finish',
      '/github-app/start',
      '/hooks/deploy/{secret}',
      '/hooks/github-app/{owner}',
      '/hooks/{host}/{projectId}',
      '/members',
      '/members/{name}',
      '/projects',
      '/projects/{id}',
      '/projects/{id}/approvals',
      '/projects/{id}/cache',
      '/projects/{id}/costs',
      '/projects/{id}/deploy-hooks',
      '/projects/{id}/deploy-hooks/{hook}',
      '/projects/{id}/domains',
      '/projects/{id}/domains/{name}',
      '/projects/{id}/git',
      '/projects/{id}/git-token',
      '/projects/{id}/logs',
      '/projects/{id}/notifications',
      '/projects/{id}/notifications/{notification}',
      '/projects/{id}/notifications/{notification}/test',
      '/projects/{id}/pin',
      '/projects/{id}/preview-password',
      '/projects/{id}/releases',
      '/projects/{id}/restore',
      '/projects/{id}/rollback',
      '/projects/{id}/service',
      '/projects/{id}/unpin',
      '/projects/{id}/uploads',
      '/projects/{id}/variables',
      '/projects/{id}/variables/{name}',
      '/projects/{id}/webhook',
      '/queue',
      '/tickets',
      '/tokens',
      '/tokens/{id}',
      '/usage',
      '/whoami',
    ]);
    const body = openapi.paths['/deployments'].post.requestBody.content['application/json'].schema;
    expect(JSON.stringify(body)).toContain('outputDirectory');
    // Of a list of values the document's generator would name the first one alone.
    const majors = JSON.stringify(openapi).match(/"nodeVersion":\{[^{}]*\}/g) ?? [];
    expect(majors.length).toBeGreaterThan(3);
    for (const major of majors) expect(major).toContain(JSON.stringify({ enum: NODE_MAJORS }).slice(1, -1));
    // Groups of the reference page: each is described, and each is used.
    const operations = Object.values(openapi.paths as Record<string, object>).flatMap((item) => Object.values(item));
    const used = new Set(operations.flatMap(({ tags }: { tags: string[] }) => tags));
    expect([...used].sort()).toEqual(openapi.tags.map(({ name }: { name: string }) => name).sort());
  });

  it('answers an unknown path with a problem', async () => {
    const api = await apiFixture();
    expectProblem(await api.call('GET', '/nothing'), 'NOT_FOUND');
  });
});
