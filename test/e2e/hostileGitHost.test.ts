import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';
import { makeRepo } from '../support/gitServer.ts';
import {
  advertise,
  FLUSH,
  type HostileAnswers,
  type HostileGitHost,
  pkt,
  refsOfEqualHash,
  startHostileGitHost,
  writeAgain,
} from '../support/hostileGitHost.ts';
import { HOST_NODE, startVeren, type Veren } from '../support/veren.ts';

/** A platform whose users name hostile hosts: it answers, stays as it is, and deploys for everybody else. */

jest.setTimeout(180_000);

const hosts: HostileGitHost[] = [];
let veren: Veren;
let dataDir: string;
let good: string;

beforeAll(async () => {
  dataDir = join(temporaryFolder(), 'data');
  good = `file://${makeRepo(join(temporaryFolder(), 'site'), { 'index.html': '<h1>good</h1>' }).path}`;
  veren = await startVeren(dataDir);
});
afterAll(async () => {
  // Not stopped: it would wait for the host that never answers.
  await veren.kill();
  for (const host of hosts) await host.close();
  removeFolders();
});

const hostile = async (answers: HostileAnswers): Promise<string> => {
  const host = await startHostileGitHost(answers);
  hosts.push(host);
  return host.url;
};
const residentMiB = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${veren.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
const request = { frontend: HOST_NODE, backend: false } as const;

/** The slowest answer of /healthz while `work` goes on, and the most memory that the platform had. */
async function watched<T>(work: Promise<T>): Promise<{ result: T; slowestMs: number; mostMiB: number }> {
  let [going, slowestMs, mostMiB] = [true, 0, 0];
  const watching = (async () => {
    while (going) {
      const asked = performance.now();
      const answer = await fetch(`${veren.url}/healthz`);
      expect(answer.status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - asked);
      if (process.platform === 'linux') mostMiB = Math.max(mostMiB, residentMiB());
      await new Promise((r) => setTimeout(r, 50));
    }
  })();
  const result = await work.finally(() => {
    going = false;
  });
  await watching;
  return { result, slowestMs, mostMiB };
}

test('hosts that flood and one that never answers: the platform answers, and another deployment succeeds', async () => {
  const names = await hostile({ refs: refsOfEqualHash });
  const flood = await hostile({
    async discovery(res) {
      advertise(res);
      await writeAgain(res, pkt('x'.repeat(65_000)), 30_000);
      res.end(FLUSH);
    },
  });
  const silent = await hostile({ discovery: () => new Promise(() => {}) });
  const before = process.platform === 'linux' ? residentMiB() : 0;

  const { result, slowestMs, mostMiB } = await watched(
    (async () => {
      // Asked first, so that the good one would have to wait for it.
      const stuck = await veren.client.createDeployment({ projectId: 'silent', gitUrl: silent, ...request });
      const ends = await Promise.all([
        veren.deploy({ projectId: 'names', gitUrl: names, ...request }),
        veren.deploy({ projectId: 'flood', gitUrl: flood, ...request }),
        veren.deploy({ projectId: 'good', gitUrl: good, ...request }),
      ]);
      return { ends, stuck: await veren.client.getDeployment(stuck.deploymentId) };
    })(),
  );
  expect(result.ends.map(({ status, error }) => [status, error?.code])).toEqual([
    ['failed', 'REPO_TOO_LARGE'],
    ['failed', 'REPO_TOO_LARGE'],
    ['succeeded', undefined],
  ]);
  expect(['queued', 'analyzing', 'failed']).toContain(result.stuck.status);
  expect(slowestMs).toBeLessThan(30_000);
  expect(mostMiB - before).toBeLessThan(300);
  await veren.client.cancel(result.stuck.deploymentId).catch(() => {});
});

test('a platform that is killed in the middle of an analysis leaves no process, and after a start no folder', async () => {
  const silent = await hostile({ discovery: () => new Promise(() => {}) });
  await veren.client.createDeployment({ projectId: 'silent-too', gitUrl: silent, ...request });
  const work = join(dataDir, 'analysis');
  const folders = () => (existsSync(work) ? readdirSync(work).flatMap((n) => readdirSync(join(work, n))) : []);
  await eventually(() => folders().length > 0);
  await veren.kill();
  const left = () => execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' }).includes(silent);
  await eventually(() => !left());
  mkdirSync(join(work, 'left', 'veren-git-1-abcdef'), { recursive: true });
  veren = await startVeren(dataDir);
  expect(existsSync(join(work, 'left'))).toBe(false);
});
