import { s3Keys } from '../../../contract/names.ts';
import { makeCanceledEvent } from '../../../lambdas/domain/events.ts';
import { s3Archive } from '../../../lambdas/shared/archive.ts';
import { openAudit } from '../../../lambdas/shared/audit.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { branchHost, deploymentHost } from '../../../lambdas/shared/sites/routes.ts';
import { projectSweep } from '../../../lambdas/task-watcher/sweepProjects.ts';
import { apiFixture } from '../../support/api.ts';
import { silentLog } from '../../support/log.ts';

const gitUrl = 'https://git.example/me/shop.git';
const deployed = { projectId: 'shop', gitUrl };

/** The API, a clock that tests move, and the sweep. */
async function scene() {
  let now = Date.now();
  const clock = { now: () => now };
  const api = await apiFixture({ clock });
  const { ports, s3, projects } = api;
  const bucket = 'bucket';
  const removedImages: string[] = [];
  const deps = {
    ...{ ...ports, projects, s3, bucket, clock, log: silentLog },
    archive: s3Archive(s3, bucket),
    audit: openAudit({ s3, bucket, clock }),
    variables: openVariableStore({ s3, bucket, clock }),
    removeImages: async (projectId: string, ids: readonly string[]) => {
      removedImages.push(...ids.map((id) => `${projectId}-${id}`));
      return ids.length;
    },
  };
  const put = (key: string, text = '12345') => s3.objects.set(key, text);
  return {
    ...api,
    put,
    removedImages,
    sweep: projectSweep(deps, {}),
    sweepFor: (runMs: number) => projectSweep(deps, { runMs }),
    pass(ms: number) {
      now += ms;
    },
    code: async (method: string, path: string, body?: unknown, as: 'ada' | 'bob' = 'ada') => {
      const answer = await api.call(method, path, body, { as });
      return [answer.status, answer.body.code ?? null];
    },
    keysOf: (id: string) => [...s3.objects.keys()].filter((key) => key.includes(id)),
  };
}

describe('settings', () => {
  test('PUT makes a project or replaces all of them, PATCH merges, null removes, GET shows them', async () => {
    const { call } = await scene();
    const made = await call('PUT', '/projects/shop', { gitUrl, frontend: { path: 'web', buildCommand: 'make' } });
    expect([made.status, made.body.settings.frontend]).toEqual([201, { path: 'web', buildCommand: 'make' }]);
    const patched = await call('PATCH', '/projects/shop', { frontend: { buildCommand: null }, maintenance: true });
    expect(patched.body.settings).toEqual({ gitUrl, frontend: { path: 'web' }, maintenance: true });
    const replaced = await call('PUT', '/projects/shop', { rootDirectory: 'apps/shop' });
    expect([replaced.status, replaced.body.settings]).toEqual([200, { rootDirectory: 'apps/shop' }]);
    const read = await call('GET', '/projects/shop');
    expect(read.body).toMatchObject({ projectId: 'shop', release: null, pinned: null });
    expect(read.body.addressKey).toBeUndefined();
  });

  test('every fault of a body is named, also of what a patch would make', async () => {
    const { call, code } = await scene();
    await call('PUT', '/projects/shop', { gitUrl });
    const bad = await call('PATCH', '/projects/shop', { frontend: { path: '../x' }, releases: { keep: 0 }, x: 1 });
    expect(bad.status).toBe(400);
    expect(bad.body.errors.map((e: { field: string }) => e.field).sort()).toEqual([
      'frontend.path',
      'releases.keep',
      'x',
    ]);
    expect(await code('PATCH', '/projects/shop', '{"__proto__": {"gitUrl": "x"}}')).toEqual([400, 'INVALID_REQUEST']);
    expect(await code('PUT', '/projects/shop', { gitUrl: 'ext::sh -c id' })).toEqual([400, 'GIT_URL_UNSUPPORTED']);
    expect(await code('PATCH', '/projects/shop', { gitUrl: '-x' })).toEqual([400, 'GIT_URL_UNSUPPORTED']);
    expect((await call('GET', '/projects/shop')).body.settings).toEqual({ gitUrl });
  });

  test('a budget is whole dollars, and an admin alone sets it', async () => {
    const api = await apiFixture();
    const budget = { monthlyUsd: 20 };
    const set = (body: object, as = 'ada') => api.call('PUT', '/projects/shop', body, { as });
    expect((await set({ budget })).body.settings).toEqual({ budget });
    for (const monthlyUsd of [0, 1.5, -1, '20', 1e9]) expect((await set({ budget: { monthlyUsd } })).status).toBe(400);
    const { token } = (await api.call('POST', '/tokens', { name: 'd', scope: 'deploy' })).body;
    for (const method of ['PUT', 'PATCH'])
      expect((await api.call(method, '/projects/shop', { budget: { monthlyUsd: 9 } }, { as: token })).status).toBe(403);
    expect((await api.call('GET', '/projects/shop/costs', undefined, { as: token })).body).toEqual({
      ...{ projectId: 'shop', month: expect.any(String), microUsd: 0, deployments: 0, unpriced: 0 },
      budget: { ...budget, percent: 0, slowed: false, refused: [] },
    });
  });

  test('changes at once all count', async () => {
    const { call } = await scene();
    await call('PUT', '/projects/shop', {});
    const patches = [{ productionBranch: 'trunk' }, { maintenance: true }, { rootDirectory: 'a' }, { gitUrl }];
    await Promise.all(patches.map((patch) => call('PATCH', '/projects/shop', patch)));
    expect((await call('GET', '/projects/shop')).body.settings).toEqual(Object.assign({}, ...patches));
  });

  test('lists are of the owner alone, in pages', async () => {
    const { call } = await scene();
    for (const name of ['c', 'a', 'e', 'b', 'd']) await call('PUT', `/projects/${name}`, {});
    await call('PUT', '/projects/foreign', {}, { as: 'bob' });
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await call('GET', `/projects?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((p: { projectId: string }) => p.projectId));
      if (body.cursor === undefined) break;
      cursor = body.cursor;
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test("another owner's project is one that does not exist", async () => {
    const { call, code } = await scene();
    await call('PUT', '/projects/shop', { gitUrl });
    for (const [method, path, body] of [
      ['GET', '/projects/shop'],
      ['PUT', '/projects/shop', {}],
      ['PATCH', '/projects/shop', {}],
      ['DELETE', '/projects/shop'],
      ['DELETE', '/projects/shop?confirm=shop'],
      ['POST', '/projects/shop/restore'],
      ['DELETE', '/projects/shop/cache'],
      ['POST', '/deployments', deployed],
    ] as const)
      expect([method, ...(await code(method, path, body, 'bob'))]).toEqual([method, 404, 'NOT_FOUND']);
    expect((await call('GET', '/projects/shop')).body.deleting).toBeUndefined();
  });

  test('a deployment may leave the repository to its project, and only then', async () => {
    const { call, code } = await scene();
    expect(await code('POST', '/deployments', { projectId: 'shop' })).toEqual([400, 'GIT_URL_MISSING']);
    expect(await code('GET', '/projects/shop')).toEqual([404, 'NOT_FOUND']);
    await call('PUT', '/projects/shop', { gitUrl });
    const { body } = await call('POST', '/deployments', { projectId: 'shop' });
    expect((await call('GET', `/deployments/${body.deploymentId}`)).body.gitUrl).toBe(gitUrl);
  });

  test('a project of an earlier version gets its document when it is first asked for, with what is live', async () => {
    const { call, ports } = await scene();
    const { body } = await call('POST', '/deployments', { projectId: 'old', gitUrl });
    const { facts, request } = (await ports.store.get(body.deploymentId))!;
    const fresh = await scene();
    await fresh.ports.store.create({ requested: facts.requested!, request: request! });
    const at = '2026-01-01T00:00:00.000Z';
    fresh.put(s3Keys.promotion('old'), JSON.stringify({ v: 1, live: body.deploymentId, pending: null, updatedAt: at }));
    expect(await fresh.code('GET', '/projects/old', undefined, 'bob')).toEqual([404, 'NOT_FOUND']);
    expect((await fresh.call('GET', '/projects/old')).body).toMatchObject({
      settings: { gitUrl },
      release: { deploymentId: body.deploymentId, kind: 'automatic', at, by: 'veren' },
    });
    expect(await fresh.projects.list('ada')).toEqual(['old']);
  });
});

describe('deletion', () => {
  test('it waits, refuses what is new, cancels what runs, and can be taken back', async () => {
    const { call, code, sweep, stopped, pass } = await scene();
    const { body } = await call('POST', '/deployments', deployed);
    const asked = await call('DELETE', '/projects/shop');
    expect([asked.status, asked.body.deleting]).toMatchObject([202, { by: 'ada', restorable: true }]);
    expect(stopped).toEqual([body.deploymentId]);
    expect(await code('POST', '/deployments', deployed)).toEqual([409, 'PROJECT_DELETING']);
    expect(await code('PATCH', '/projects/shop', { maintenance: true })).toEqual([409, 'PROJECT_DELETING']);
    expect(await code('PUT', '/projects/shop', {})).toEqual([409, 'PROJECT_DELETING']);
    pass(30_000);
    await sweep();
    const again = await call('DELETE', '/projects/shop');
    expect(again.body.deleting).toEqual(asked.body.deleting);
    expect((await call('POST', '/projects/shop/restore')).body.deleting).toBeUndefined();
    pass(3_600_000);
    await sweep();
    expect((await call('POST', '/deployments', deployed)).status).toBe(202);
  });

  test('a wrong confirmation deletes nothing', async () => {
    const { call, code } = await scene();
    await call('PUT', '/projects/shop', {});
    expect(await code('DELETE', '/projects/shop?confirm=shpo')).toEqual([400, 'CONFIRMATION_WRONG']);
    expect((await call('GET', '/projects/shop')).body.deleting).toBeUndefined();
  });

  test('everything goes, of this project alone; the answer and the audit list say what', async () => {
    const { call, code, sweep, pass, ports, put, keysOf, removedImages, s3 } = await scene();
    const first = (await call('POST', '/deployments', deployed, { headers: { 'Idempotency-Key': 'k' } })).body;
    const other = (await call('POST', '/deployments', { projectId: 'shop-2', gitUrl })).body;
    const entry = {
      at: new Date().toISOString(),
      target: 'frontend',
      stream: 'stdout',
      line: 'x',
      attempt: 1,
      n: 0,
    } as const;
    for (const [project, id] of [
      ['shop', first.deploymentId],
      ['shop-2', other.deploymentId],
    ]) {
      for (const key of [s3Keys.site(project), s3Keys.deploymentFiles(project, id), s3Keys.cache(project, 'preview')])
        put(`${key}index.html`);
      for (const key of [s3Keys.variables(project), s3Keys.builds(project), s3Keys.handovers(project)]) put(`${key}x`);
      for (const key of [s3Keys.record(id), s3Keys.log(id), s3Keys.archivedOf(project) + id]) put(key, 'null');
      s3.objects.delete(s3Keys.record(id));
      await ports.logs.append(id, [entry]);
      const record = (await ports.store.get(id))!.record;
      await ports.store.fold(id, [makeCanceledEvent(record, [], { reason: 'user' }, Date.now())]);
    }
    await call('DELETE', '/projects/shop?confirm=shop');
    pass(1);
    await sweep();
    const gone = await call('GET', '/projects/shop');
    expect([gone.status, gone.body.code]).toEqual([410, 'PROJECT_DELETED']);
    expect(gone.body.detail).toContain('1 deployments, 6 objects (');
    expect(keysOf('shop').filter((key) => !key.includes('shop-2'))).toEqual(['__projects/shop.json']);
    expect(keysOf('shop-2').length).toBeGreaterThan(8);
    expect(removedImages.some((image) => image.startsWith('shop-2'))).toBe(false);
    expect(keysOf(first.deploymentId)).toEqual([]);
    expect(await ports.store.get(first.deploymentId)).toBeNull();
    expect(await ports.logs.read(first.deploymentId, 0, 9)).toEqual([]);
    expect(await ports.logs.read(other.deploymentId, 0, 9)).toHaveLength(1);
    expect(await ports.store.projectOwner('shop')).toBeNull();
    const audits = [...s3.objects].filter(([key]) => key.startsWith('__audit/')).map(([, text]) => JSON.parse(text));
    const ofProject = audits.filter((a) => a.action.startsWith('project.'));
    expect(ofProject.map((a) => a.action)).toEqual(['project.delete', 'project.removed']);
    expect(ofProject[1].detail).toContain('1 deployments');
    expect(await code('GET', '/projects/shop', undefined, 'bob')).toEqual([404, 'NOT_FOUND']);

    // Credentials of its builds may be good for an hour, and reach what has the name: so long no other owner gets it.
    expect(await code('POST', '/deployments', deployed, 'bob')).toEqual([404, 'NOT_FOUND']);
    pass(3_600_000);
    // Then the name is free for anybody, and nothing of the earlier project comes back.
    const next = await call('POST', '/deployments', deployed, { as: 'bob', headers: { 'Idempotency-Key': 'k' } });
    expect(next.status).toBe(202);
    expect((await call('GET', '/deployments', undefined, { as: 'bob' })).body.items).toHaveLength(1);
    expect(await code('GET', '/projects/shop')).toEqual([404, 'NOT_FOUND']);
    await sweep();
    expect((await call('GET', '/projects/shop', undefined, { as: 'bob' })).status).toBe(200);
  });

  test('addresses go by the table of routes, also those of deployments that the store has forgotten', async () => {
    const { call, sweep, pass, ports, put, projects, keysOf, removedImages } = await scene();
    const { deploymentId: kept } = (await call('POST', '/deployments', deployed)).body;
    const { record } = (await ports.store.get(kept))!;
    await ports.store.fold(kept, [makeCanceledEvent(record, [], { reason: 'user' }, Date.now())]);
    const project = (await projects.get('shop'))!;
    // Older than 90 days: neither the store nor the archive has it, only the bucket its files, and the table its hosts.
    const old = '01jd0000000000000000000000';
    put(`${s3Keys.deploymentFiles('shop', old)}index.html`);
    const hosts = ['shop', 'www.shop.example', deploymentHost(project, old), branchHost(project, 'gone')];
    const route = { projectId: 'shop', deploymentId: old };
    await ports.sites.point(hosts.map((host) => ({ host, route })));
    await ports.sites.point([{ host: 'shop-2', route: { projectId: 'shop-2', deploymentId: old } }]);
    await call('DELETE', '/projects/shop?confirm=shop');
    pass(1);
    await sweep();
    const gone = await call('GET', '/projects/shop');
    expect([gone.body.code, gone.body.detail.match(/\d+ addresses/)?.[0]]).toEqual(['PROJECT_DELETED', '4 addresses']);
    expect(await Promise.all(hosts.map((host) => ports.sites.find(host)))).toEqual([null, null, null, null]);
    expect((await ports.sites.find('shop-2'))?.projectId).toBe('shop-2');
    expect(keysOf('__deployments/shop/')).toEqual([]);
    expect(removedImages).toContain(`shop-${old}`);
  });

  test('a removal is interrupted after any write and goes on; meanwhile it cannot be taken back', async () => {
    const { call, code, sweepFor, sweep, pass, put, keysOf } = await scene();
    await call('PUT', '/projects/shop', {});
    for (let i = 0; i < 2_500; i++) put(`${s3Keys.site('shop')}${i}`);
    await call('DELETE', '/projects/shop?confirm=shop');
    pass(1);
    await sweepFor(0)();
    expect(keysOf('__outputs/shop')).toHaveLength(2_500);
    // Runs whose time is up soon, until one has begun; a run that has not even begun leaves everything as it is.
    const ticking = setInterval(() => pass(1), 0);
    const begun = async () => (await call('GET', '/projects/shop')).body.deleting?.restorable !== true;
    for (let runs = 0; runs < 200 && !(await begun()); runs++) await sweepFor(1)();
    clearInterval(ticking);
    expect(await begun()).toBe(true);
    if ((await call('GET', '/projects/shop')).status === 200)
      expect(await code('POST', '/projects/shop/restore')).toEqual([409, 'RESTORE_TOO_LATE']);
    for (let i = 0; i < 20 && keysOf('__outputs/shop').length > 0; i++) {
      pass(16 * 60_000);
      await sweep();
    }
    expect(await code('GET', '/projects/shop')).toEqual([410, 'PROJECT_DELETED']);
    expect((await call('GET', '/projects/shop')).body.detail).toContain('2500 objects');
  });

  test('a deployment that is asked for while its project is deleted is never half there', async () => {
    for (let turn = 0; turn < 40; turn++) {
      const { call, sweep, pass, ports, keysOf } = await scene();
      await call('PUT', '/projects/shop', { gitUrl });
      const wait = async (turns: number) => {
        for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      };
      const removal = (async () => {
        await wait(turn % 8);
        await call('DELETE', '/projects/shop?confirm=shop');
        pass(1);
        await wait(turn % 5);
        await sweep();
      })();
      const answer = await call('POST', '/deployments', deployed);
      await removal;
      const list = (await call('GET', '/deployments')).body.items;
      if (answer.status === 202) {
        // It was there before the mark, so it was canceled and goes with its project, or belongs to a new one.
        expect(list.length).toBeLessThanOrEqual(1);
        const id = answer.body.deploymentId;
        const record = (await ports.store.get(id))?.record;
        if (record) await ports.store.fold(id, [makeCanceledEvent(record, [], { reason: 'user' }, Date.now())]);
        pass(16 * 60_000);
        await sweep();
        const project = await call('GET', '/projects/shop');
        if (project.status === 410) expect(await ports.store.get(id)).toBeNull();
      } else {
        expect(answer.body.code).toBe('PROJECT_DELETING');
        expect(list).toEqual([]);
        expect(keysOf('__deployments/shop')).toEqual([]);
      }
      await ports.close();
    }
  });
});

test('many first deployments of a project at once are all accepted', async () => {
  for (let turn = 0; turn < 10; turn++) {
    const api = await apiFixture();
    const request = { projectId: 'new', gitUrl: 'https://git.example/site.git' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.call('POST', '/deployments', request)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(202));
  }
});
