import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkFolders } from '../../../local/platform/workFolders.ts';

let dir: string;
let work: string;
let folders: WorkFolders;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-work-'));
  work = join(dir, 'work');
  await mkdir(work);
  folders = new WorkFolders(work, (e) => {
    throw e;
  });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function tell(taskArn: string, lastStatus: string, projectId?: string): void {
  const environment = projectId === undefined ? [] : [{ name: 'PROJECT_ID', value: projectId }];
  folders.observe({ detail: { taskArn, lastStatus, overrides: { containerOverrides: [{ environment }] } } });
}

async function made(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(work, name, 'control'), { recursive: true });
    await writeFile(join(work, name, 'control', 'file'), '');
  }
}

const left = async () => {
  await folders.settled();
  expect(await readdir(dir)).toEqual(['work']);
  return (await readdir(work)).sort();
};

test('the folder of a task that stopped is removed, those of tasks that live are not', async () => {
  await made('a', 'b', 'build.Xy12z9', '.npm');
  tell('1', 'RUNNING', 'a');
  tell('2', 'PENDING', 'b');
  tell('1', 'STOPPED', 'a');
  expect(await left()).toEqual(['.npm', 'b', 'build.Xy12z9']);
  tell('2', 'STOPPED', 'b');
  expect(await left()).toEqual(['.npm']);
});

test('both targets of a project use its folder: it goes with the last of them', async () => {
  await made('a', 'build.1');
  tell('1', 'RUNNING', 'a');
  tell('2', 'RUNNING', 'a');
  tell('1', 'STOPPED', 'a');
  expect(await left()).toEqual(['a', 'build.1']);
  tell('2', 'STOPPED', 'a');
  expect(await left()).toEqual([]);
});

test('while a task lives whose project is not known, every folder may be its own', async () => {
  await made('a');
  tell('1', 'RUNNING');
  tell('2', 'RUNNING', 'a');
  tell('2', 'STOPPED', 'a');
  expect(await left()).toEqual(['a']);
  tell('1', 'STOPPED');
  expect(await left()).toEqual([]);
});

test('links in it are removed, not followed', async () => {
  await mkdir(join(dir, 'work', 'a'));
  const outside = await mkdtemp(join(tmpdir(), 'veren-outside-'));
  await writeFile(join(outside, 'kept'), '');
  await symlink(outside, join(work, 'a', 'link'));
  await symlink(outside, join(work, 'b'));
  tell('1', 'STOPPED', 'a');
  expect(await left()).toEqual([]);
  expect(await readdir(outside)).toEqual(['kept']);
  await rm(outside, { recursive: true });
});
