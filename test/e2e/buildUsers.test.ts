import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** The platform of a laptop as root: what a build runs as, what it can reach, and what is left when it is ended. */
const possible = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
if (!possible && process.env.VEREN_REQUIRE_ENGINES === '1') throw new Error('this suite needs root on Linux');

const LOOK = `
id -u; grep NoNewPrivs /proc/self/status
for file in $DATA/token $DATA/journal* $DATA/credentials.json $DATA/ecs/* $DATA/*.json /proc/$PLATFORM/environ; do
  cat "$file" > /dev/null 2>&1 && echo "read $file"
done
for file in $DATA $DATA/builder/frontend.mjs $DATA/toolchains $DATA/toolchains/tools $DATA/toolchains/*/bin $DATA/work; do
  [ -w "$file" ] && echo "may write $file"
done
ls $DATA/ecs $DATA/s3 > /dev/null 2>&1 && echo "listed"
true`;

const processesOf = (uids: readonly string[]) =>
  execFileSync('ps', ['-eo', 'uid,stat,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([uid, stat]) => uids.includes(uid!) && !stat!.startsWith('Z'));

(possible ? describe : describe.skip)(
  `builds on a laptop that is root${possible ? '' : ' (needs root on Linux)'}`,
  () => {
    let folder: { readonly path: string; remove(): Promise<void> };
    let data: string;
    beforeAll(async () => {
      folder = await temporaryFolder();
      chmodSync(folder.path, 0o755);
      data = join(folder.path, 'data');
      mkdirSync(join(folder.path, 'mine'), { mode: 0o700 }); // a person's own folder, as /root is
    });
    afterAll(() => folder.remove());

    const site = (name: string, build: string) =>
      pathToFileURL(
        makeRepo(join(folder.path, 'mine', name), {
          'look.sh': LOOK,
          'package.json': JSON.stringify({ scripts: { build } }),
        }).path,
      ).href;
    const request = (veren: Veren, projectId: string, build: string) => ({
      projectId,
      gitUrl: site(projectId, build),
      frontend: { outputDirectory: 'out', installCommand: '', ...HOST_NODE },
      backend: false as const,
      env: { DATA: data, PLATFORM: String(veren.pid) },
    });
    const lines = async (veren: Veren, id: string) => (await veren.logs(id)).map(({ line }) => line);

    test('a user of its own, to which nothing of the platform is open; also a repository that only root can read is built', async () => {
      const veren = await startVeren(data, { VEREN_TOKEN: 'a-token-of-the-platform-1' });
      try {
        expect(veren.said.join('\n')).not.toContain('Builds run as');
        const uids = [];
        for (const name of ['first', 'second']) {
          const record = await veren.deploy(
            request(veren, name, 'sh look.sh && mkdir out && echo hi > out/index.html'),
          );
          const log = await lines(veren, record.deploymentId);
          expect([record.status, log]).toEqual(['succeeded', expect.anything()]);
          expect(log.filter((line) => /^(?:read|may write|listed)/.test(line))).toEqual([]);
          expect(log.some((line) => /NoNewPrivs:\s*1/.test(line))).toBe(true);
          uids.push(log.find((line) => /^\d{5,}$/.test(line)));
        }
        expect(new Set(uids).size).toBe(2);
        expect(uids).not.toContain(undefined);
        // Caches are kept after the end has been told; then the folder goes.
        await eventually(() => readdirSync(join(data, 'work')).length === 0);
      } finally {
        expect(await veren.stop()).toBe(0);
      }
    }, 300_000);

    test('canceled, killed with the platform, or with its builder: no process, no folder', async () => {
      const build = `id -u; (setsid env -i /bin/sh -c 'trap "" TERM; exec sleep 31339' >/dev/null 2>&1 &); echo waiting; sleep 300`;
      const first = await startVeren(data);
      const uids: string[] = [];
      const waiting = async (veren: Veren, id: string) => {
        for (let i = 0; i < 900; i++) {
          const log = await lines(veren, id);
          if (log.includes('waiting')) return void uids.push(log.find((line) => /^\d{5,}$/.test(line))!);
          await new Promise((done) => setTimeout(done, 100));
        }
        throw new Error('the build did not begin');
      };
      const canceled = await first.client.createDeployment(request(first, 'canceled', build));
      await waiting(first, canceled.deploymentId);
      await first.client.cancel(canceled.deploymentId);
      await first.finished(canceled.deploymentId);
      await eventually(() => processesOf(uids).length === 0 && readdirSync(join(data, 'work')).length === 0);

      // The builder itself is killed: whoever started it cleans up behind it.
      const orphaned = await first.client.createDeployment(request(first, 'orphaned', build));
      await waiting(first, orphaned.deploymentId);
      const builder = Number(
        execFileSync('pgrep', ['-P', String(first.pid), '-f', 'frontend.mjs'], { encoding: 'utf8' }).split('\n')[0],
      );
      const uid = uids.at(-1)!;
      process.kill(builder, 'SIGKILL');
      await eventually(() => processesOf([uid]).length === 0);
      await first.client.cancel(orphaned.deploymentId);
      await first.finished(orphaned.deploymentId);
      await eventually(() => readdirSync(join(data, 'work')).length === 0);

      const killed = await first.client.createDeployment(request(first, 'killed', build));
      await waiting(first, killed.deploymentId);
      await first.kill();
      mkdirSync(join(data, 'toolchains/.new-left'));
      mkdirSync(join(data, 'tmp/veren-git-left'));
      const second = await startVeren(data);
      try {
        expect(processesOf([uids.at(-1)!])).toEqual([]);
        expect(existsSync(join(data, 'toolchains/.new-left')) || existsSync(join(data, 'tmp/veren-git-left'))).toBe(
          false,
        );
        await second.client.cancel(killed.deploymentId);
        await second.finished(killed.deploymentId);
        await eventually(() => readdirSync(join(data, 'work')).length === 0);
      } finally {
        expect(await second.stop()).toBe(0);
      }
      expect(processesOf(uids)).toEqual([]);
    }, 180_000);

    test('a data folder that only root may enter: builds run as root, and the start says so in one line', async () => {
      const veren = await startVeren(join(folder.path, 'mine', 'data'));
      try {
        const findLines = () => veren.said.filter((line) => line.startsWith('Builds run as root'));
        // The start has two streams, and the line with its address may be read first.
        await eventually(() => findLines().length > 0);
        expect(findLines()).toEqual([expect.stringContaining(join(folder.path, 'mine'))]);
      } finally {
        expect(await veren.stop()).toBe(0);
      }
      expect(statSync(join(folder.path, 'mine', 'data', 'token')).mode & 0o077).toBe(0);
    }, 180_000);
  },
);
