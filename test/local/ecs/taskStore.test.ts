import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskRecord } from '../../../local/ecs/task.ts';
import { TaskStore } from '../../../local/ecs/taskStore.ts';

const HOUR = 3_600_000;
let dir: string;
let now = 1_000 * HOUR;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-tasks-'));
});
afterEach(() => rm(dir, { recursive: true }));

const open = () => TaskStore.open(dir, { now: () => now }, (error) => expect(error).toBeUndefined());
const task = (n: number, more: Partial<TaskRecord> = {}): TaskRecord => ({
  id: n.toString(16).padStart(32, '0'),
  cluster: 'builder',
  family: 'f',
  containerName: 'c',
  cpu: 1,
  memory: 1,
  group: 'g',
  tags: [],
  request: { token: `token ${n}`, fingerprint: 'f' },
  createdAt: now,
  version: 5,
  lastStatus: 'STOPPED',
  desiredStatus: 'STOPPED',
  stoppedAt: now + n,
  ...more,
});
const files = async () => {
  const names = await readdir(dir);
  return [names.filter((n) => n.endsWith('.json')).length, names.filter((n) => n.endsWith('.log')).length];
};

test('output of the newest 200 is kept, tasks and their tokens for an hour, running ones always', async () => {
  const store = await open();
  for (let n = 0; n < 250; n++) {
    await store.add(task(n), [{ name: 'c', environment: [{ name: 'SECRET', value: 's' }] }]);
    store.openLog(task(n).id).close();
  }
  await store.add(task(999, { lastStatus: 'RUNNING', createdAt: 0 }), []);
  await store.prune();
  expect(await files()).toEqual([251, 200]);
  expect(store.overrides.has(task(49).id)).toBe(false);
  expect(store.overrides.has(task(50).id)).toBe(true);

  now += HOUR / 2;
  const later = await open();
  expect(later.byToken('token 3')).toHaveLength(1);
  await later.prune();
  expect(await files()).toEqual([251, 200]);
  now += HOUR;
  await later.prune();
  expect(await files()).toEqual([1, 0]);
  expect(later.byToken('token 3')).toEqual([]);
  expect([...later.tasks.values()].map((t) => t.lastStatus)).toEqual(['RUNNING']);
});

test('writes of one task are carried out in order', async () => {
  const store = await open();
  const one = task(1, { lastStatus: 'PENDING' });
  await store.add(one, []);
  const writes: Promise<void>[] = [];
  for (let version = 6; version < 60; version++) {
    one.version = version;
    writes.push(store.save(one));
  }
  await Promise.all(writes);
  expect((await open()).tasks.get(one.id)?.version).toBe(59);
});

test('a task that cannot be written is not known, so that a repeat starts one; a later state is written when it can be', async () => {
  const said: unknown[] = [];
  const store = await TaskStore.open(dir, { now: () => now }, (error) => said.push(error));
  const one = task(1, { lastStatus: 'PENDING' });
  await store.add(one, []);
  await rm(dir, { recursive: true }); // as good as a full disk
  await expect(store.add(task(2), [])).rejects.toMatchObject({ code: 'ENOENT' });
  expect([store.byToken('token 2'), store.tasks.has(task(2).id)]).toEqual([[], false]);
  one.lastStatus = 'RUNNING';
  await store.save(one);
  expect(() => store.saveNow(one)).toThrow('ENOENT');
  expect(said).toHaveLength(1);
  await mkdir(dir);
  while ((await files())[0] === 0) await new Promise((r) => setTimeout(r, 50));
  expect((await open()).tasks.get(one.id)?.lastStatus).toBe('RUNNING');
  await store.settled();
});

test('a task file that cannot be read is kept aside, and the start goes on', async () => {
  const store = await open();
  await store.add(task(1), []);
  await writeFile(join(dir, `${task(2).id}.json`), '\0\0\0');
  const said: Error[] = [];
  const again = await TaskStore.open(dir, { now: () => now }, (error) => said.push(error as Error));
  expect([...again.tasks.keys()]).toEqual([task(1).id]);
  expect(said.map((e) => e.message)).toEqual([expect.stringContaining('.json.damaged')]);
  expect((await readdir(dir)).filter((n) => n.endsWith('.damaged'))).toEqual([`${task(2).id}.json.damaged`]);
});
