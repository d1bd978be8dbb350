import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { VerenClient } from '../cli/client/VerenClient.ts';
import { makeRepositoryFromFolder } from '../local/client/makeRepositoryFromFolder.ts';
import { startPlatform } from '../local/platform/platform.ts';
import { median, spread, timed } from './_stats.ts';

const EXAMPLE = resolve(import.meta.dirname, '../examples/react-vite');
const PAIRS = 9;
const execFileAsync = promisify(execFile);

/**
 * Wall time of a whole deployment of the React example, from POST to 200 from its URL, against the bare
 * `git clone && npm ci && npm run build` with the same Node. The two alternate, each pair begins with the other one, and
 * the ratio is taken pair by pair: a machine that becomes slower meanwhile is not in it. Cold is without any cache: Veren's
 * is switched off, and every bare run has an empty npm cache too. Warm is a deployment of the same lockfile in a project
 * that has been built before.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  const platform = await startPlatform({ dataDir: join(folder, 'data'), port: 0, hostEnv: process.env });
  try {
    const { url } = await makeRepositoryFromFolder(EXAMPLE, join(folder, 'repo'));
    const client = new VerenClient({ baseUrl: platform.url, token: platform.token });
    let serial = 0;

    const bare = async () => {
      const target = join(folder, `bare-${serial++}`);
      const env = { ...process.env, npm_config_cache: join(target, '.npm-cache'), CI: 'true' };
      await execFileAsync('git', ['clone', '--quiet', '--depth', '1', url, target]);
      await execFileAsync('npm', ['ci'], { cwd: target, env });
      await execFileAsync('npm', ['run', 'build'], { cwd: target, env });
      await rm(target, { recursive: true, force: true });
    };
    const deploy = async (projectId: string, env: Record<string, string>) => {
      const frontend = { nodeVersion: HOST_MAJOR };
      const { deploymentId } = await client.createDeployment({ projectId, gitUrl: url, frontend, env });
      for await (const followed of client.followLogs(deploymentId)) if (followed.type === 'end') break;
      const record = await client.getDeployment(deploymentId);
      const artifact = record.builds.frontend?.artifact;
      if (artifact?.kind !== 'static')
        throw new Error(`the deployment ended ${record.status}: ${record.error?.message}`);
      const answer = await fetch(artifact.url);
      if (answer.status !== 200) throw new Error(`${artifact.url} answers ${answer.status}`);
    };

    const deployed = () => deploy(`bench-${serial++}`, { DISABLE_BUILD_CACHE: '1' });
    const warm = () => deploy('bench-warm', {});

    await bare();
    await deployed();
    const bares: number[] = [];
    const veren: number[] = [];
    for (let i = 0; i < PAIRS; i++) {
      const order = i % 2 === 0 ? ([bare, deployed] as const) : ([deployed, bare] as const);
      for (const side of order) (side === bare ? bares : veren).push(await timed(side));
    }
    console.log(`clone + npm ci + build   ${spread(bares)}`);
    console.log(`deployment, POST to 200  ${spread(veren)}`);
    const ratios = veren.map((ms, i) => ms / bares[i]!).sort((a, b) => a - b);
    const range = `${ratios[0]!.toFixed(2)}–${ratios.at(-1)!.toFixed(2)}`;
    console.log(`ratio, cold: ${median(ratios).toFixed(3)}, median of ${PAIRS} pairs (${range}); goal: at most 1.10`);

    const pause = () => new Promise((done) => setTimeout(done, CACHE_SAVED_MS));
    await warm();
    const warms: number[] = [];
    for (let i = 0; i < PAIRS; i++) {
      await pause();
      warms.push(await timed(warm));
    }
    console.log(`deployment, warm         ${spread(warms)}`);
    console.log(`ratio, warm to cold: ${(median(warms) / median(veren)).toFixed(3)}; goal: at most 0.6`);
  } finally {
    await platform.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A build keeps its caches after its result is told: the next one must not run beside that. */
const CACHE_SAVED_MS = 2_000;
/** The host's Node on both sides, so that the same program is compared. */
const HOST_MAJOR = Number(process.versions.node.split('.')[0]) as 20;
