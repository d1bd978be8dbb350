import { emptyFacts } from '../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../lambdas/domain/reduce.ts';
import { toRecord } from '../../lambdas/domain/toRecord.ts';
import type { DeploymentStore, JobQueue } from '../../lambdas/shared/ports.ts';
import { analyzed, analyzing, canceled, request, requested, retrying, started } from './deployments.ts';
import { overStorages } from './storages.ts';

overStorages('DeploymentStore', (open) => {
  let store: DeploymentStore;
  let queue: JobQueue;
  beforeEach(async () => {
    ({ store, queue } = await open());
  });
  const create = (id: string, of: Parameters<typeof requested>[1] = {}, key?: string, fingerprint = 'f') =>
    store.create({
      requested: requested(id, of),
      request: request(of.projectId),
      ...(key !== undefined && { idempotency: { key, fingerprint } }),
    });

  test('what was created can be read', async () => {
    expect(await create('d1')).toEqual({ kind: 'created' });
    const facts = reduceEvent(emptyFacts, requested('d1'));
    expect(await store.get('d1')).toEqual({ facts, record: toRecord(facts), request: request() });
    expect(await store.get('d2')).toBeNull();
    expect(await store.projectOwner('shop')).toBe('ann');
    expect(await store.projectOwner('other')).toBeNull();
  });

  test('a project belongs to who deployed it first', async () => {
    await create('d1');
    expect(await create('d2', { owner: 'bob' })).toEqual({ kind: 'foreign-project' });
    expect(await store.get('d2')).toBeNull();
    expect(await store.list({ owner: 'bob', limit: 9 })).toEqual({ items: [] });
    expect(await create('d3')).toEqual({ kind: 'created' });
  });

  test('of many owners at once who claim a project one gets it', async () => {
    const owners = Array.from({ length: 10 }, (_, i) => `o${i}`);
    const results = await Promise.all(owners.map((owner) => create(`d-${owner}`, { owner })));
    const winners = owners.filter((_, i) => results[i]!.kind === 'created');
    expect(winners).toHaveLength(1);
    expect(await store.projectOwner('shop')).toBe(winners[0]);
    expect(await store.unfinished()).toEqual([`d-${winners[0]}`]);
  });

  test('an idempotency key answers a repeat with the first deployment', async () => {
    expect(await create('d1', {}, 'key')).toEqual({ kind: 'created' });
    expect(await create('d2', {}, 'key')).toEqual({ kind: 'replayed', deploymentId: 'd1' });
    expect(await create('d3', {}, 'key', 'other')).toEqual({ kind: 'key-reused' });
    expect([await store.get('d2'), await store.get('d3')]).toEqual([null, null]);
    expect(await create('d4', {}, 'another key')).toEqual({ kind: 'created' });
  });

  test('whether a key has made a deployment that is kept', async () => {
    expect(await store.knowsKey('ann', 'key')).toBe(false);
    await create('d1', {}, 'key');
    expect([await store.knowsKey('ann', 'key'), await store.knowsKey('bob', 'key')]).toEqual([true, false]);
    await store.remove('d1');
    expect(await store.knowsKey('ann', 'key')).toBe(false);
  });

  test('the idempotency keys of owners are apart', async () => {
    await create('d1', {}, 'key');
    expect(await create('d2', { owner: 'bob', projectId: 'blog' }, 'key', 'other')).toEqual({ kind: 'created' });
  });

  test('of many repeats at once one creates', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => create(`d${i}`, {}, 'key')));
    const [first] = await store.unfinished();
    expect(results.filter((r) => r.kind === 'created')).toHaveLength(1);
    expect(results.filter((r) => r.kind === 'replayed' && r.deploymentId === first)).toHaveLength(9);
  });

  test('a key whose request was refused is free', async () => {
    await create('d1');
    await create('d2', { owner: 'bob' }, 'key');
    expect(await create('d3', { owner: 'bob', projectId: 'blog' }, 'key', 'other')).toEqual({ kind: 'created' });
  });

  test('a creation that is sent again is the same creation', async () => {
    await create('d1', {}, 'key');
    await store.fold('d1', [analyzing('d1')]);
    expect(await create('d1', {}, 'key')).toEqual({ kind: 'created' });
    expect((await store.get('d1'))?.record.status).toBe('analyzing');
  });

  test('the first job is added with the deployment, or not at all', async () => {
    const first = (id: string, owner = 'ann', key = 'key', fingerprint = 'f') => {
      const job = { queue: 'clone', id, owner, projectId: 'shop', data: { id } } as const;
      const idempotency = { key, fingerprint };
      return store.create({ requested: requested(id, { owner }), request: request(), job, idempotency });
    };
    expect(await first('d1')).toEqual({ kind: 'created' });
    const { queue: _, ...job } = { queue: 'clone', id: 'd1', owner: 'ann', projectId: 'shop', data: { id: 'd1' } };
    expect(await queue.list('clone', 'waiting')).toMatchObject([{ ...job, attempt: 1, notes: {} }]);
    expect((await first('d2')).kind).toBe('replayed');
    expect((await first('d3', 'ann', 'key', 'other')).kind).toBe('key-reused');
    expect((await first('d4', 'bob')).kind).toBe('foreign-project');
    expect((await queue.list('clone', 'waiting')).map((j) => j.id)).toEqual(['d1']);
    await queue.remove('clone', 'd1');
    expect(await first('d1')).toEqual({ kind: 'created' });
    expect(await queue.list('clone', 'waiting')).toEqual([]);
  });

  test('a request can be stored in another form, and nothing else of its deployment changes', async () => {
    await create('d1');
    const before = await store.get('d1');
    expect(await store.replaceRequest('d1', { ...request(), sealed: 'anew' })).toBe(true);
    expect(await store.get('d1')).toEqual({ ...before, request: { ...request(), sealed: 'anew' } });
    expect(await store.replaceRequest('d2', request())).toBe(false);
    expect(await store.get('d2')).toBeNull();
  });

  test('folding gives the record before and after', async () => {
    await create('d1');
    const folded = await store.fold('d1', [analyzing('d1'), analyzed('d1')]);
    expect(folded).toMatchObject({ before: { status: 'queued', plan: null }, after: { status: 'analyzing' } });
    expect((await store.get('d1'))?.record).toEqual(folded?.after);
    expect((await store.get('d1'))?.request).toEqual(request());
    const again = await store.fold('d1', [analyzing('d1')]);
    expect(again?.before).toEqual(folded?.after);
    expect(again?.after).toEqual(folded?.after);
    expect(await store.fold('d1', [])).toEqual(again);
  });

  test('folds at once are all kept', async () => {
    await create('d1');
    const events = Array.from({ length: 12 }, (_, i) => [started('d1', i + 1, i), retrying('d1', i + 1, i)]).flat();
    await Promise.all([...events, analyzed('d1')].map((event) => store.fold('d1', [event])));
    const { facts } = (await store.get('d1'))!;
    expect(facts).toEqual([requested('d1'), analyzed('d1'), ...events].reduce(reduceEvent, emptyFacts));
  });

  test('what is not stored comes into being from its request, and from nothing else', async () => {
    expect(await store.fold('d1', [analyzing('d1')])).toBeNull();
    expect(await store.get('d1')).toBeNull();
    const folded = await store.fold('d1', [analyzing('d1'), requested('d1')]);
    expect(folded).toMatchObject({ before: null, after: { status: 'analyzing', owner: 'ann' } });
    expect((await store.get('d1'))?.request).toBeNull();
    expect(await store.projectOwner('shop')).toBe('ann');
    expect(await store.unfinished()).toEqual(['d1']);
    expect((await store.list({ owner: 'ann', projectId: 'shop', limit: 5 })).items).toEqual([folded?.after]);
  });

  test('lists an owner newest first, page by page, also where times are equal', async () => {
    for (let i = 0; i < 7; i++)
      await create(`d${i}`, { seconds: Math.floor(i / 3), projectId: i % 2 ? 'odd' : 'even' });
    await create('x', { owner: 'bob', projectId: 'blog' });
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ owner: 'ann', limit: 3, ...(cursor !== undefined && { cursor }) });
      pages.push(page.items.map((r) => r.deploymentId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(pages).toEqual([['d6', 'd5', 'd4'], ['d3', 'd2', 'd1'], ['d0']]);
    const odd = await store.list({ owner: 'ann', projectId: 'odd', limit: 3 });
    expect(odd.items.map((r) => r.deploymentId)).toEqual(['d5', 'd3', 'd1']);
    expect(odd).not.toHaveProperty('cursor');
  });

  test("another owner's project and an unknown cursor list nothing", async () => {
    await create('d1');
    expect(await store.list({ owner: 'bob', projectId: 'shop', limit: 3 })).toEqual({ items: [] });
    expect(await store.list({ owner: 'ann', limit: 3, cursor: 'nobody' })).toEqual({ items: [] });
  });

  test('unfinished are those that are not terminal, oldest first', async () => {
    await create('new', { seconds: 20 });
    await create('old', { seconds: 10 });
    await create('mid', { seconds: 15 });
    expect(await store.unfinished()).toEqual(['old', 'mid', 'new']);
    await store.fold('mid', [canceled('mid', 30)]);
    expect(await store.unfinished()).toEqual(['old', 'new']);
    await store.fold('mid', [analyzing('mid', 31)]);
    expect(await store.unfinished()).toEqual(['old', 'new']);
  });

  test('what is removed is as if it had never been, and its key counts as new', async () => {
    await create('d1', {}, 'key');
    await create('d2', { seconds: 5 });
    await store.remove('d1');
    await store.remove('d1');
    await store.remove('unknown');
    expect(await store.get('d1')).toBeNull();
    expect((await store.list({ owner: 'ann', limit: 9 })).items.map((r) => r.deploymentId)).toEqual(['d2']);
    expect((await store.list({ owner: 'ann', projectId: 'shop', limit: 9 })).items).toHaveLength(1);
    expect(await store.unfinished()).toEqual(['d2']);
    expect(await create('d3', { seconds: 6 }, 'key', 'other')).toEqual({ kind: 'created' });
    expect(await store.fold('d1', [analyzing('d1')])).toBeNull();
  });

  test('a claim is of one owner until that one gives it up', async () => {
    expect(await store.claimProject('shop', 'ann')).toBe(true);
    expect(await store.claimProject('shop', 'ann')).toBe(true);
    expect(await store.claimProject('shop', 'bob')).toBe(false);
    expect(await create('d1', { owner: 'bob' })).toEqual({ kind: 'foreign-project' });
    await create('d2', { projectId: 'blog' });
    expect((await store.claims()).toSorted((a, b) => (a.projectId < b.projectId ? -1 : 1))).toEqual([
      { projectId: 'blog', owner: 'ann' },
      { projectId: 'shop', owner: 'ann' },
    ]);
    await store.releaseProject('shop', 'bob');
    expect(await store.projectOwner('shop')).toBe('ann');
    await store.releaseProject('shop', 'ann');
    expect(await store.projectOwner('shop')).toBeNull();
    expect(await create('d1', { owner: 'bob' })).toEqual({ kind: 'created' });
  });
});
