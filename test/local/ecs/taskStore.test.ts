import { mkdtemp, readdir, rm } from 'node:fs/promises';
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
