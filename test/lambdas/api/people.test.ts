import { AuditListSchema } from '../../../contract/people.ts';
import { apiFixture } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';

const DAY_MS = 24 * 3_600_000;

type Fixture = Awaited<ReturnType<typeof apiFixture>>;
const make = (api: Fixture, body: object, as?: string) => api.call('POST', '/tokens', body, as ? { as } : {});

describe('tokens', () => {
  test('one is shown once, works, is listed without its secret, and is refused after its end', async () => {
    const api = await apiFixture();
    const { status, body } = await make(api, { name: 'CI of shop', scope: 'deploy', projects: ['shop'] });
    expect(status).toBe(201);
    const { token, ...view } = body;
    expect(token).toMatch(/^veren_[\w-]+\.[0-9a-f]{16}\.[\w-]{43}$/);
    expect(view).toEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'CI of shop', scope: 'deploy', projects: ['shop'] },
      ...{ createdAt: expect.any(String), createdBy: 'ada' },
    });
    expect((await api.call('GET', '/deployments', undefined, { as: token })).status).toBe(200);
    const listed = await api.call('GET', '/tokens');
    expect(listed.body.items).toEqual([{ ...view, lastUsedAt: expect.any(String) }]);
    const secret = token.split('.').at(-1);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    // Of another owner there is no such token.
    expect((await api.call('DELETE', `/tokens/${view.id}`, undefined, { as: 'bob' })).status).toBe(404);
    expect((await api.call('DELETE', `/tokens/${view.id}`)).status).toBe(204);
    expect((await api.call('GET', '/deployments', undefined, { as: token })).status).toBe(401);
    expect((await api.call('DELETE', `/tokens/${view.id}`)).status).toBe(404);
    expect((await api.call('GET', '/deployments')).status).toBe(200);
  });

  test('unknown, expired, revoked and changed ones get the same answer', async () => {
    const clock = fakeClock();
    const api = await apiFixture({ clock });
    const good = (await make(api, { name: 'a', scope: 'read', expiresInDays: 1 })).body.token as string;
    const gone = (await make(api, { name: 'b', scope: 'read' })).body;
    await api.call('DELETE', `/tokens/${gone.id}`);
    const [head = '', id = '', secret = ''] = good.split('.');
    const bobs = `veren_${Buffer.from('bob').toString('base64url')}`;
    const use = async (token: string) => {
      const { status, body, headers } = await api.call('GET', '/deployments', undefined, { as: token });
      return { status, body: { ...body, instance: '' }, challenge: headers.get('www-authenticate') };
    };
    expect((await use(good)).status).toBe(200);
    clock.advance(DAY_MS);
    const expired = await use(good);
    expect(expired).toMatchObject({ status: 401, challenge: 'Bearer' });
    for (const token of [
      gone.token,
      `${head}.${'0'.repeat(16)}.${secret}`,
      `${head}.${id}.${'A'.repeat(43)}`,
      `${bobs}.${id}.${secret}`,
      `veren_${Buffer.from('nobody').toString('base64url')}.${id}.${secret}`,
      `veren_${Buffer.from('__proto__').toString('base64url')}.${id}.${secret}`,
      `veren_${Buffer.from('../../x').toString('base64url')}.${id}.${secret}`,
      `${good}=`,
      good.toUpperCase(),
      'veren_',
    ])
      expect([token, await use(token)]).toEqual([token, expired]);
    // A clock that is set back makes it good again, as it would a certificate; nothing is shown that was not before.
    clock.advance(-DAY_MS / 2);
    expect((await use(good)).status).toBe(200);
  });

  test('nothing is read of an owner whom the stage does not have', async () => {
    const read: string[] = [];
    const owners = {
      readRecent: async (owner: string) => {
        read.push(owner);
        return { v: 1 as const, owner, members: [], tokens: [] };
      },
    };
    const { authenticateCaller } = await import('../../../lambdas/shared/people/authenticateCaller.ts');
    const authenticate = authenticateCaller({ hashes: async () => ({ ada: [] }), owners, clock: { now: Date.now } });
    for (const owner of ['eve', 'constructor', '__proto__', 'toString', 'ada'])
      await authenticate(`veren_${Buffer.from(owner).toString('base64url')}.${'0'.repeat(16)}.${'A'.repeat(43)}`);
    expect(read).toEqual(['ada']);
  });

  test('a document that cannot be read is no empty one, unless the role could not tell', async () => {
    const { openOwnerStore } = await import('../../../lambdas/shared/people/ownerStore.ts');
    const denied = {
      send: async () =>
        Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })),
    };
    const deps = { s3: denied as never, bucket: 'b', clock: { now: Date.now } };
    await expect(openOwnerStore(deps).readRecent('ada')).rejects.toThrow('no');
    expect(await openOwnerStore({ ...deps, mayList: false }).readRecent('ada')).toMatchObject({
      owner: 'ada',
      tokens: [],
    });
    const away = {
      send: async () => Promise.reject(Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } })),
    };
    const store = openOwnerStore({ ...deps, s3: away as never, mayList: false });
    await expect(store.readRecent('ada')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a name is taken once, whatever its case, and nobody has that of the owner or of the platform', async () => {
    const api = await apiFixture();
    expect((await make(api, { name: 'ci', scope: 'read' })).status).toBe(201);
    for (const name of ['ci', 'CI', 'ada', 'Veren']) {
      const { status, body } = await make(api, { name, scope: 'read' });
      expect([name, status, body.code]).toEqual([name, 409, 'NAME_TAKEN']);
    }
    expect((await make(api, { name: 'ci', scope: 'read' }, 'bob')).status).toBe(201);
  });

  test('what cannot be a token is refused with every fault', async () => {
    const api = await apiFixture();
    const shop = ['shop'];
    for (const body of [
      { name: '', scope: 'read' },
      { name: ' x', scope: 'read' },
      { name: '__proto__', scope: 'read' },
      { name: 'x\ny', scope: 'read' },
      { name: 'x'.repeat(65), scope: 'read' },
      { name: 'x', scope: 'root' },
      { name: 'x', scope: 'read', projects: [] },
      { name: 'x', scope: 'read', projects: ['shop', 'shop'] },
      { name: 'x', scope: 'read', projects: ['../x'] },
      { name: 'x', scope: 'read', projects: Array.from({ length: 51 }, (_, i) => `p${i}`) },
      { name: 'x', scope: 'read', expiresInDays: 0 },
      { name: 'x', scope: 'read', expiresInDays: 1.5 },
      { name: 'x', scope: 'read', projects: shop, owner: 'bob' },
      { name: 'x', scope: 'read', hash: 'a'.repeat(64) },
    ])
      expect([body, (await make(api, body)).body.code]).toEqual([body, 'INVALID_REQUEST']);
    expect((await make(api, { name: 'x', scope: 'read', member: 'nobody' })).body.code).toBe('NOT_FOUND');
    expect((await api.call('GET', '/tokens')).body.items).toEqual([]);
  });

  test('there is a most, and a full list still works', async () => {
    const api = await apiFixture();
    for (let i = 0; i < 200; i++) expect((await make(api, { name: `t${i}`, scope: 'read' })).status).toBe(201);
    expect((await make(api, { name: 'one more', scope: 'read' })).body.code).toBe('TOO_MANY');
    expect((await api.call('GET', '/tokens')).body.items).toHaveLength(200);
  });

  test('admins who change the owner at the same moment lose nothing of each other', async () => {
    const api = await apiFixture();
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        i % 2 ? make(api, { name: `t${i}`, scope: 'read' }) : api.call('PUT', `/members/m${i}`, { role: 'viewer' }),
      ),
    );
    expect(made.map(({ status }) => status)).toEqual([200, 201, 200, 201, 200, 201, 200, 201]);
    expect((await api.call('GET', '/tokens')).body.items).toHaveLength(4);
    expect((await api.call('GET', '/members')).body.items).toHaveLength(4);
    const same = await Promise.all(Array.from({ length: 5 }, () => make(api, { name: 'same', scope: 'read' })));
    expect(same.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409]);
  });

  test('the last use is noted once an hour, also by a clock that was set back', async () => {
    const clock = fakeClock();
    const api = await apiFixture({ clock });
    const { token } = (await make(api, { name: 'a', scope: 'read' })).body;
    const use = async () => {
      await api.call('GET', '/deployments', undefined, { as: token });
      return (await api.call('GET', '/tokens')).body.items[0].lastUsedAt as string;
    };
    const first = await use();
    clock.advance(1_800_000);
    expect(await use()).toBe(first);
    clock.advance(1_800_000);
    expect(await use()).not.toBe(first);
    clock.advance(-DAY_MS);
    expect(Date.parse(await use())).toBe(clock.now());
  });
});

describe('members', () => {
  test('have a role, which their tokens never exceed, and take their tokens with them', async () => {
    const api = await apiFixture();
    expect((await api.call('PUT', '/members/eve@example.org', { role: 'developer' })).status).toBe(200);
    const { body } = await make(api, { name: 'of eve', scope: 'admin', member: 'eve@example.org' });
    const as = body.token as string;
    const cancel = () => api.call('POST', '/deployments/x/cancel', undefined, { as });
    expect((await api.call('GET', '/audit', undefined, { as })).body.code).toBe('FORBIDDEN');
    expect((await cancel()).status).toBe(404);
    await api.call('PUT', '/members/eve@example.org', { role: 'viewer' });
    expect((await cancel()).body.detail).toContain('it needs the scope "deploy", and this token has "read".');
    await api.call('PUT', '/members/eve@example.org', { role: 'admin' });
    expect((await api.call('GET', '/audit', undefined, { as })).status).toBe(200);
    expect((await api.call('DELETE', '/members/eve@example.org', undefined, { as })).status).toBe(204);
    expect((await cancel()).status).toBe(401);
    // Who comes back under the same name gets none of the tokens of before.
    await api.call('PUT', '/members/eve@example.org', { role: 'admin' });
    expect((await cancel()).status).toBe(401);
  });

  test('no admin can lock everybody out: the stage’s own token goes on', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/members/ada', { role: 'viewer' });
    await api.call('DELETE', '/members/ada');
    expect((await api.call('GET', '/audit')).status).toBe(200);
  });

  test('names of JavaScript objects are no names, or ordinary ones', async () => {
    const api = await apiFixture();
    for (const name of ['__proto__', '-', 'a%2fb', 'a%00', 'é'])
      expect([name, (await api.call('PUT', `/members/${name}`, { role: 'admin' })).body.code]).toEqual([
        name,
        'INVALID_REQUEST',
      ]);
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect((await api.call('DELETE', `/members/${name}`)).status).toBe(404);
      expect((await make(api, { name: `of ${name}`, scope: 'read', member: name })).status).toBe(404);
      expect((await api.call('PUT', `/members/${name}`, { role: 'viewer' })).body.name).toBe(name);
    }
    expect((await api.call('PUT', '/members/CONSTRUCTOR', { role: 'viewer' })).body.code).toBe('NAME_TAKEN');
    expect((await api.call('PUT', '/members/x', { role: 'owner' })).body.code).toBe('INVALID_REQUEST');
  });
});

describe('the audit list', () => {
  test('tells who has deployed, redeployed, canceled and dropped caches', async () => {
    const api = await apiFixture();
    const as = (await make(api, { name: 'ci', scope: 'deploy' })).body.token as string;
    const deployed = await api.call(
      'POST',
      '/deployments',
      { projectId: 'shop', gitUrl: 'https://h.example/x' },
      { as },
    );
    const id = deployed.body.deploymentId as string;
    const again = (await api.call('POST', `/deployments/${id}/redeploy`, undefined, { as })).body
      .deploymentId as string;
    await api.call('POST', `/deployments/${again}/cancel`);
    await api.call('DELETE', '/projects/shop/cache', undefined, { as });
    // What is refused changes nothing.
    await api.call('DELETE', '/projects/other/cache', undefined, { as });
    const { items } = (await api.call('GET', '/audit')).body;
    const seen = items.map((e: Record<string, string>) => [e.by, e.action, e.projectId, e.subject]);
    expect(seen.toSorted()).toEqual(
      [
        ['ada', 'token.create', undefined, 'ci'],
        ['ci', 'deployment.create', 'shop', id],
        ['ci', 'deployment.redeploy', 'shop', again],
        ['ada', 'deployment.cancel', 'shop', again],
        ['ci', 'cache.drop', 'shop', undefined],
      ].toSorted(),
    );
  });

  test('has every change, newest first, page by page, and no secret', async () => {
    const clock = fakeClock();
    const api = await apiFixture({ clock });
    const step = async <T>(work: Promise<T>) => {
      clock.advance(1_000);
      return work;
    };
    await step(api.call('PUT', '/members/eve', { role: 'viewer' }));
    await step(api.call('PUT', '/members/eve', { role: 'viewer' }));
    await step(api.call('PUT', '/members/eve', { role: 'admin' }));
    const { token } = (await step(make(api, { name: 'of eve', scope: 'admin', member: 'eve' }))).body;
    const ci = (await step(make(api, { name: 'ci', scope: 'deploy', projects: ['shop'] }, token))).body;
    await step(api.call('DELETE', `/tokens/${ci.id}`));
    await step(api.call('DELETE', '/members/eve'));
    const entries = [];
    let cursor: string | undefined;
    do {
      const { body } = await api.call('GET', `/audit?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      const page = AuditListSchema.parse(body);
      entries.push(...page.items);
      cursor = page.cursor;
    } while (cursor);
    expect(entries.map(({ by, action, subject }) => [by, action, subject])).toEqual([
      ['ada', 'member.remove', 'eve'],
      ['ada', 'token.revoke', 'ci'],
      ['of eve', 'token.create', 'ci'],
      ['ada', 'token.create', 'of eve'],
      ['ada', 'member.update', 'eve'],
      ['ada', 'member.add', 'eve'],
    ]);
    expect(entries[0]?.detail).toBe('revoked tokens: of eve');
    for (const secret of [token, ci.token]) expect(JSON.stringify(entries)).not.toContain(secret.split('.').at(-1));
    expect((await api.call('GET', '/audit', undefined, { as: 'bob' })).body).toEqual({ items: [] });
    for (const bad of ['..%2f..%2fbob', 'x', '0'.repeat(129)])
      expect((await api.call('GET', `/audit?cursor=${bad}`)).body.items ?? []).toEqual([]);
  });
});
