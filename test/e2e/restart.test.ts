import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

/** A build that waits for a file, so that the test decides when it goes on; it leaves its process id. */
const waiting = (folder: string) => ({
  'index.html': '<p>',
  'package.json': JSON.stringify({
    scripts: {
      build: `echo $$ >> ${folder}/pids && while [ ! -e ${folder}/go ]; do sleep 0.1; done; mkdir out && echo built > out/index.html`,
    },
  }),
});

it('kill -9 in the middle of a build: nothing accepted is lost, nothing stays "building"', async () => {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const signals = join(folder.path, 'signals');
  await mkdir(signals);
  const page = pathToFileURL(makeRepo(join(folder.path, 'page'), { 'index.html': 'a page' }).path).href;
  const slow = pathToFileURL(makeRepo(join(folder.path, 'slow'), waiting(signals)).path).href;
  const frontend = { outputDirectory: 'out', installCommand: '', ...HOST_NODE };
  const request = (projectId: string) => ({ projectId, gitUrl: slow, frontend, backend: false as const });

  const first = await startVeren(data);
  const done = await first.deploy({ projectId: 'done', gitUrl: page, frontend: HOST_NODE });
  expect(done.status).toBe('succeeded');
  // Two slots on a laptop: two builds run, the third waits.
  const ids: string[] = [];
  for (const projectId of ['a', 'b', 'c'])
    ids.push((await first.client.createDeployment(request(projectId))).deploymentId);
  const running = async () =>
    (await Promise.all(ids.map((id) => first.client.getDeployment(id)))).map((r) => r.builds.frontend);
  // Analyses run side by side, so whichever is analysed last is the one that waits, and it may be analysed late.
  await eventually(async () => {
    const builds = await running();
    const atWork = builds.filter((b) => b?.phases.some((p) => p.name === 'build'));
    return atWork.length === 2 && builds.some((b) => b?.status === 'queued');
  });
  const before = await running();
  expect(before.filter((b) => b?.status === 'queued')).toMatchObject([{ position: 1 }]);
  await first.kill();

  const second = await startVeren(data);
  const site = second.client.getDeployment(done.deploymentId).then((r) => r.builds.frontend?.artifact);
  expect(await (await fetch(((await site) as { url: string }).url)).text()).toBe('a page');
  await mkdir(join(signals, 'go'));
  const records = await Promise.all(ids.map((id) => second.finished(id)));
  expect(records.map((r) => r.status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect(records.map((r) => r.builds.frontend?.attempt)).toEqual(before.map((b) => (b?.status === 'queued' ? 1 : 2)));
  expect((await second.client.listDeployments()).items.map((d) => d.deploymentId)).toEqual([
    ...ids.toReversed(),
    done.deploymentId,
  ]);
  expect(await second.stop()).toBe(0);

  // Ctrl-C and a third start: all is still listed and served.
  const third = await startVeren(data);
  const again = await third.client.listDeployments();
  expect(again.items.map((d) => d.status)).toEqual(Array(4).fill('succeeded'));
  expect(await third.stop()).toBe(0);
  await folder.remove();
}, 300_000);

it('says what is wrong with a port, a data folder, git', async () => {
  const folder = await temporaryFolder();
  const veren = await startVeren(join(folder.path, 'a'));
  const port = new URL(veren.url).port;
  await expect(startVeren(join(folder.path, 'b'), { PORT: port })).rejects.toThrow(/PORT_IN_USE.*PORT=/);
  await expect(startVeren(join(folder.path, 'a'))).rejects.toThrow(/DATA_FOLDER_LOCKED.*--data/);
  const file = join(folder.path, 'a-file');
  await writeFile(file, '');
  await expect(startVeren(join(file, 'data'))).rejects.toThrow(/DATA_FOLDER_UNUSABLE.*--data/);
  await expect(startVeren(join(folder.path, 'c'), { PORT: 'abc' })).rejects.toThrow(/PORT_INVALID/);
  await expect(startVeren(join(folder.path, 'c'), { PATH: join(folder.path, 'no-git-here') })).rejects.toThrow(
    /GIT_MISSING.*Install git/,
  );
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 300_000);
