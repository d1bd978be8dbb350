import { createHmac } from 'node:crypto';
import { QUEUES } from '../../../contract/names.ts';
import { type ApiFixture, apiFixture } from '../../support/api.ts';

const A = 'a'.repeat(40);
const gitUrl = 'https://git.example/ada/shop.git';
const connection = { host: 'github', repository: 'ada/shop' };
const repository = { id: 1, full_name: 'ada/shop', clone_url: gitUrl };
const push = { ref: 'refs/heads/main', before: '0'.repeat(40), after: A, repository };
const sign = (secret: string, body: string | Uint8Array) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

async function connected(over: Parameters<typeof apiFixture>[0] = {}) {
  const api = await apiFixture(over);
  expect((await api.call('PUT', '/projects/shop', { gitUrl, connection })).status).toBe(201);
  const made = await api.call('POST', '/projects/shop/webhook');
  expect(made.status).toBe(201);
  return { api, secret: made.body.secret as string, made: made.body };
}

/** Sends a delivery, as GitHub does. */
async function deliver(
  api: ApiFixture,
  secret: string,
  body: unknown = push,
  { path = '/hooks/github/shop', event = 'push', id = 'd-1', headers = {} as Record<string, string> } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = {
    'X-GitHub-Event': event,
    'X-GitHub-Delivery': id,
    'X-Hub-Signature-256': sign(secret, text),
    ...headers,
  };
  return api.call('POST', path, text, { as: null, headers: all });
}
const waiting = (api: ApiFixture) => api.ports.queue.list(QUEUES.delivery, 'waiting');

describe('the webhook of a project', () => {
  test('tells what the hook at the host is made with; the secret is stored sealed and shown once', async () => {
    const { api, secret, made } = await connected();
    expect(made).toMatchObject({ url: 'http://api.example/hooks/github/shop', contentType: 'application/json' });
    expect(made.events).toEqual(['push', 'pull_request', 'repository']);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const stored = [...api.s3.objects.values()].map(String).join('\n');
    expect(stored).not.toContain(secret);
    expect(JSON.stringify((await api.call('GET', '/projects/shop')).body)).not.toContain(secret);
    const { body: audit } = await api.call('GET', '/audit');
    expect(JSON.stringify(audit)).toContain('webhook.secret');
    expect(JSON.stringify(audit)).not.toContain(secret);
  });

  test('needs a connection', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/projects/shop', { gitUrl });
    expect((await api.call('POST', '/projects/shop/webhook')).body.code).toBe('NOT_CONNECTED');
  });

  test.each([
    ['github', 'ada/shop/more', 400],
    ['gitea', 'ada/shop/more', 400],
    ['bitbucket', 'ada/shop/more', 400],
    ['gitlab', 'ada/shop/more', 201],
    ['github', 'shop', 400],
  ])('a connection names a repository as its host does: %s %s', async (host, name, status) => {
    const api = await apiFixture();
    const settings = { gitUrl: `https://git.example/ada/${name}`, connection: { host, repository: name } };
    expect((await api.call('PUT', '/projects/shop', settings)).status).toBe(status);
  });

  test('the connection must be of the repository of the project', async () => {
    const api = await apiFixture();
    const put = (settings: object) => api.call('PUT', '/projects/shop', settings);
    expect((await put({ connection })).body.errors).toEqual([
      { field: 'connection.repository', message: 'needs the setting "gitUrl"' },
    ]);
    for (const wrong of ['eve/shop', 'da/shop', 'shop', '../ada/shop', 'ada/shop.git/x'])
      expect((await put({ gitUrl, connection: { ...connection, repository: wrong } })).status).toBe(400);
    expect((await put({ gitUrl, connection: { ...connection, repository: 'Ada/Shop' } })).status).toBe(201);
  });

  test('a repository is watched on a laptop only, and one without a known host is nothing but watched', async () => {
    const watched = { gitUrl, connection: { ...connection, watch: true } };
    const elsewhere = await apiFixture();
    expect((await elsewhere.call('PUT', '/projects/shop', watched)).body.code).toBe('WATCH_UNAVAILABLE');
    const laptop = await apiFixture({ canWatch: true });
    expect((await laptop.call('PUT', '/projects/shop', watched)).status).toBe(201);
    const folder = (more: object) => ({
      gitUrl: 'file:///home/ada/shop.git',
      connection: { host: 'git', repository: 'shop', ...more },
    });
    expect((await laptop.call('PUT', '/projects/folder', folder({}))).status).toBe(400);
    // Its HEAD is what somebody has checked out.
    expect((await laptop.call('PUT', '/projects/folder', folder({ watch: true }))).body.errors).toMatchObject([
      { field: 'productionBranch' },
    ]);
    const settings = { ...folder({ watch: true }), productionBranch: 'main' };
    expect((await laptop.call('PUT', '/projects/folder', settings)).status).toBe(201);
    expect((await laptop.call('POST', '/projects/folder/webhook')).body.code).toBe('NOT_CONNECTED');
  });

  test('a new secret takes the place of the one before, which holds for an hour', async () => {
    let now = Date.now();
    const { api, secret } = await connected({ clock: { now: () => now } });
    const next = (await api.call('POST', '/projects/shop/webhook')).body.secret;
    expect(next).not.toBe(secret);
    expect((await deliver(api, secret)).status).toBe(202);
    expect((await deliver(api, next, push, { id: 'd-2' })).status).toBe(202);
    now += 3_600_001;
    expect((await deliver(api, secret, push, { id: 'd-3' })).status).toBe(401);
    expect((await deliver(api, next, push, { id: 'd-4' })).status).toBe(202);
  });
});

describe('deliveries', () => {
  test('a signed one is taken and enqueued; the answer does not wait for anything', async () => {
    const { api, secret } = await connected();
    const answer = await deliver(api, secret);
    expect([answer.status, answer.body.status]).toEqual([202, 'accepted']);
    const [job] = await waiting(api);
    expect(job).toMatchObject({ owner: 'ada', projectId: 'shop' });
    expect(job?.data).toMatchObject({ projectIds: ['shop'], host: 'github', delivery: { kind: 'push', commit: A } });
  });

  test('a repeat is known by its id and body; another body of the same id is another delivery', async () => {
    const { api, secret } = await connected();
    for (let i = 0; i < 3; i++) expect((await deliver(api, secret)).status).toBe(202);
    expect(await waiting(api)).toHaveLength(1);
    await deliver(api, secret, { ...push, after: 'b'.repeat(40) });
    await deliver(api, secret, push, { id: 'd-2' });
    expect(await waiting(api)).toHaveLength(3);
  });

  test('from what nothing follows is answered with a sentence and not enqueued', async () => {
    const { api, secret } = await connected();
    const ping = await deliver(api, secret, { zen: 'Keep it simple.' }, { event: 'ping' });
    expect([ping.status, ping.body]).toEqual([202, { status: 'ignored', message: 'The hook works.' }]);
    expect((await deliver(api, secret, { a: 1 }, { event: 'watch' })).body.status).toBe('ignored');
    expect(await waiting(api)).toEqual([]);
  });

  test('unsigned, forged and misdirected ones get one answer, which does not tell what projects there are', async () => {
    const { api, secret } = await connected();
    await api.call('PUT', '/projects/plain', { gitUrl });
    const answers = [
      await deliver(api, 'wrong'),
      await deliver(api, secret, push, { headers: { 'X-Hub-Signature-256': '' } }),
      await deliver(api, secret, push, {
        headers: { 'X-Hub-Signature-256': sign(secret, `${JSON.stringify(push)} `) },
      }),
      await deliver(api, '', push),
      await deliver(api, secret, push, { path: '/hooks/github/plain' }),
      await deliver(api, '', push, { path: '/hooks/github/plain' }),
      await deliver(api, secret, push, { path: '/hooks/github/unknown' }),
      await deliver(api, secret, push, { path: '/hooks/gitea/shop' }),
      await deliver(api, secret, push, { path: '/hooks/github/..%2f..%2fx' }),
      await deliver(api, secret, push, { path: '/hooks/github/__proto__' }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code]).toEqual([401, 'HOOK_REFUSED']);
      expect(body.detail).toBe(answers[0]!.body.detail);
    }
    expect(await waiting(api)).toEqual([]);
    expect((await deliver(api, secret, push, { path: '/hooks/sourcehut/shop' })).status).toBe(404);
  });

  test('a body is not parsed before its signature is checked, and then within bounds', async () => {
    const { api, secret } = await connected();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect((await deliver(api, 'wrong', '{"a":')).status).toBe(401);
    expect((await deliver(api, 'wrong', deep)).status).toBe(401);
    for (const bad of ['{"a":', '', deep, `{"a":${'{"a":'.repeat(33)}1${'}'.repeat(33)}}`])
      expect((await deliver(api, secret, bad)).body.code).toBe('MALFORMED_JSON');
    const form = `payload=${encodeURIComponent(JSON.stringify(push))}`;
    expect((await deliver(api, secret, form)).body.detail).toContain('application/json');
    const large = { ...push, commits: 'x'.repeat(2 * 1024 * 1024) };
    expect((await deliver(api, secret, large)).status).toBe(202);
    const tooLarge = { ...push, commits: 'x'.repeat(5 * 1024 * 1024) };
    expect((await deliver(api, secret, tooLarge)).status).toBe(413);
    // Other paths have their own bound.
    expect((await api.call('PUT', '/projects/shop', { gitUrl: 'x'.repeat(1024 * 1024) })).status).toBe(413);
    // Brackets in texts are no levels.
    expect((await deliver(api, secret, { ...push, note: `"${'['.repeat(100)}` }, { id: 'n' })).status).toBe(202);
  });

  test('a project that is being deleted takes none', async () => {
    const { api, secret } = await connected();
    await api.call('DELETE', '/projects/shop');
    expect((await deliver(api, secret)).status).toBe(401);
  });

  test('a token of the API is no right to deliver, and other paths stay closed', async () => {
    const { api } = await connected();
    const headers = { 'X-GitHub-Event': 'push' };
    expect((await api.call('POST', '/hooks/github/shop', push, { headers })).status).toBe(401);
    for (const path of ['/projects', '/hooks/../projects', '/hooks', '/hooksx'])
      expect([path, (await api.call('GET', path, undefined, { as: null })).status]).toEqual([path, 401]);
  });
});

describe('deploy hooks', () => {
  test('deploy their branch until they are revoked; only a hash of the secret is stored', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/projects/shop', { gitUrl, productionBranch: 'main' });
    const made = await api.call('POST', '/projects/shop/deploy-hooks', { name: 'cms', branch: 'live' });
    expect(made.status).toBe(201);
    const { pathname } = new URL(made.body.url);
    const secret = pathname.split('/').at(-1)!;
    const listed = await api.call('GET', '/projects/shop/deploy-hooks');
    expect(listed.body.items).toEqual([
      { id: made.body.id, name: 'cms', branch: 'live', createdAt: expect.any(String), createdBy: expect.any(String) },
    ]);
    expect([...api.s3.objects.values()].map(String).join('\n')).not.toContain(secret);
    const run = await api.call('POST', pathname, undefined, { as: null });
    expect(run.status).toBe(202);
    const { body: record } = await api.call('GET', `/deployments/${run.body.deploymentId}`);
    expect(record).toMatchObject({ ref: 'live', trigger: { kind: 'deployHook', by: 'cms' } });
    const { body: audit } = await api.call('GET', '/audit');
    expect(audit.items[0]).toMatchObject({ by: 'hook cms', action: 'deployment.create' });
    expect((await api.call('DELETE', `/projects/shop/deploy-hooks/${made.body.id}`)).status).toBe(204);
    expect((await api.call('POST', pathname, undefined, { as: null })).body.code).toBe('HOOK_REFUSED');
    expect((await api.call('DELETE', `/projects/shop/deploy-hooks/${made.body.id}`)).status).toBe(404);
  });

  test('send the stored token only to the host that it was stored for', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/projects/shop', { gitUrl });
    await api.call('PUT', '/projects/shop/git-token', { token: 'glpat-s3cret' });
    const { pathname } = new URL((await api.call('POST', '/projects/shop/deploy-hooks', { name: 'cms' })).body.url);
    const run = async () => {
      const { deploymentId } = (await api.call('POST', pathname, undefined, { as: null })).body;
      return (await api.ports.store.get(deploymentId))!.request!;
    };
    const fault = async () => (await api.call('GET', '/projects/shop')).body.gitFault;
    expect((await run()).sealed).toBeDefined();
    await api.call('PATCH', '/projects/shop', { gitUrl: 'https://evil.example/ada/shop.git' });
    const elsewhere = await run();
    expect([elsewhere.gitUrl, elsewhere.sealed]).toEqual(['https://evil.example/ada/shop.git', undefined]);
    expect(await fault()).toMatchObject({ code: 'GIT_TOKEN_ELSEWHERE' });
    expect((await fault()).message).toContain('https://evil.example');
    // Stored again it is meant for this host.
    await api.call('PUT', '/projects/shop/git-token', { token: 'other' });
    expect(await fault()).toBeUndefined();
    expect((await run()).sealed).toBeDefined();
  });

  test('a name is given once, fifty hooks are enough, and no other secret opens anything', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/projects/shop', { gitUrl });
    const make = (name: string) => api.call('POST', '/projects/shop/deploy-hooks', { name });
    expect((await make('0')).status).toBe(201);
    expect((await make('0')).body.code).toBe('NAME_TAKEN');
    for (let i = 1; i < 50; i++) await make(String(i));
    expect((await make('50')).body.code).toBe('TOO_MANY');
    for (const secret of ['x', `shop_${'A'.repeat(43)}`, `other_${'A'.repeat(43)}`, 'shop_', '__proto__'])
      expect((await api.call('POST', `/hooks/deploy/${secret}`, undefined, { as: null })).status).toBe(401);
  });
});

test('the token for the host is stored sealed, never given back, and replaced or forgotten', async () => {
  const { api } = await connected();
  expect((await api.call('PUT', '/projects/shop/git-token', { token: 'glpat-s3cret' })).status).toBe(204);
  const stored = [...api.s3.objects.values()].map(String).join('\n');
  expect(stored).not.toContain('glpat-s3cret');
  expect(stored).toContain('"token":"1.');
  expect((await api.call('PUT', '/projects/shop/git-token', { token: 'with space' })).status).toBe(400);
  await api.call('PUT', '/projects/empty', {});
  expect((await api.call('PUT', '/projects/empty/git-token', { token: 'x' })).body.code).toBe('GIT_URL_MISSING');
  expect((await api.call('DELETE', '/projects/shop/git-token')).status).toBe(204);
  expect([...api.s3.objects.values()].map(String).join('\n')).not.toContain('"token":"1.');
  expect((await api.call('PUT', '/projects/shop/git-token', { token: 'x' }, { as: 'bob' })).status).toBe(404);
});

test('a project that was deleted and made again under the same name sees nothing of the earlier one', async () => {
  const { api, secret } = await connected();
  await api.call('PUT', '/projects/shop/git-token', { token: 'glpat-s3cret' });
  const { pathname } = new URL((await api.call('POST', '/projects/shop/deploy-hooks', { name: 'cms' })).body.url);
  const runHook = async () => (await api.call('POST', pathname, undefined, { as: null })).status;
  const key = '__git/shop/secrets.json';
  const stored = JSON.parse(String(api.s3.objects.get(key)));
  // What a late worker of the earlier project has left, or written since.
  const project = JSON.parse(String(api.s3.objects.get('__projects/shop.json')));
  const rename = (addressKey: string) =>
    api.s3.objects.set('__projects/shop.json', JSON.stringify({ ...project, addressKey }));
  rename('another-project-of-the-same-name');
  expect((await deliver(api, secret)).status).toBe(401);
  expect(await runHook()).toBe(401);
  expect((await api.call('GET', '/projects/shop/deploy-hooks')).body.items).toEqual([]);
  const next = (await api.call('POST', '/projects/shop/webhook')).body.secret;
  expect((await deliver(api, next)).status).toBe(202);
  expect((await deliver(api, secret, push, { id: 'd-2' })).status).toBe(401);
  const now = JSON.parse(String(api.s3.objects.get(key)));
  expect([now.token, now.formerWebhook]).toEqual([undefined, undefined]);
  // What an earlier version has stored has no mark, and stays the project's.
  const { projectMark, ...unmarked } = stored;
  expect(projectMark).toMatch(/^[0-9a-f]{32}$/);
  api.s3.objects.set(key, JSON.stringify(unmarked));
  expect((await deliver(api, secret, push, { id: 'd-3' })).status).toBe(202);
});
