import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ulid } from 'ulid';
import { liveManifest, publishSite } from '../builder-images/builder-image-frontend/utils/publish.ts';
import { s3Objects } from '../builder-images/shared/objects.ts';
import { type Access, type Endpoint, localEndpoint, otherEndpoint } from './_endpoint.ts';
import { makeOutput } from './_output.ts';
import { median, spread } from './_stats.ts';

const ROUNDS = 3;
const BUCKET = 'bench';

/** Milliseconds before each answer: none is this machine's loopback; S3 in the same region answers a PUT in 15 to 30 ms. */
const LATENCIES = [0, 15];

/** What one run took, in seconds: on the clock, and of processors in the client and in the endpoint. */
interface Cost {
  readonly wall: number;
  readonly client: number;
  readonly endpoint: number;
}

/**
 * Publishing 5,000 small and 20 large files against `rclone copy` of the same folder to the same S3 endpoint, which runs
 * in a process of its own. Ours does more: the immutable copy, then the live site. Then the same with ten changed files.
 * Beside other work on the machine the times on the clock say little; the processors' seconds say where they go.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  const output = join(folder, 'dist');
  await makeOutput(output);
  try {
    for (const latencyMs of LATENCIES) {
      console.log(`\n${latencyMs === 0 ? 'loopback' : `${latencyMs} ms before each answer`}`);
      await measure(output, await localEndpoint(join(folder, `s3-${latencyMs}`), latencyMs));
    }
    const { VERSITYGW } = process.env;
    if (VERSITYGW === undefined) return;
    console.log('\nloopback, VersityGW as the endpoint');
    await measure(output, await otherEndpoint(VERSITYGW, join(folder, 's3-versity')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(output: string, endpoint: Endpoint): Promise<void> {
  const { access } = endpoint;
  try {
    await createBucket(access);
    const rclone = await rcloneCopy(output, access);
    const tuned = await rcloneCopy(output, access, ['--transfers=48', '--checkers=48']);
    const costs = { first: [] as Cost[], again: [] as Cost[], rclone: [] as Cost[], tuned: [] as Cost[] };
    const cost = async (work: () => Promise<number>): Promise<Cost> => {
      await settled();
      const [start, before] = [performance.now(), endpoint.cpu()];
      const client = await work();
      return { wall: (performance.now() - start) / 1_000, client, endpoint: endpoint.cpu() - before };
    };
    for (let round = 0; round < ROUNDS; round++) {
      const project = `bench-${round}`;
      const ours = async () => {
        costs.first.push(await cost(() => publishOnce(project, output, access)));
        for (let i = 0; i < 10; i++)
          await appendFile(join(output, 'pages', `${round * 10 + i}.html`), '<!-- changed -->');
        costs.again.push(await cost(() => publishOnce(project, output, access)));
      };
      const theirs = async () => {
        if (!rclone || !tuned) return;
        costs.rclone.push(await cost(() => rclone(`plain-${round}`)));
        costs.tuned.push(await cost(() => tuned(`tuned-${round}`)));
      };
      await (round % 2 === 0 ? ours().then(theirs) : theirs().then(ours));
    }
    tell('publish, first', costs.first);
    tell('publish, 10 files changed', costs.again);
    console.log(`first / changed            ${ratio(costs.first, costs.again)} (goal: at least 10)`);
    if (costs.rclone.length === 0) return console.log('rclone is not installed: no baseline');
    tell('rclone copy', costs.rclone);
    tell('rclone copy, 48 at once', costs.tuned);
    console.log(`rclone / publish           ${ratio(costs.rclone, costs.first)} (goal: at least 1.5)`);
    console.log(`rclone 48 / publish        ${ratio(costs.tuned, costs.first)} (goal: at least 1.3)`);
  } finally {
    await endpoint.close();
  }
}

function tell(name: string, costs: readonly Cost[]): void {
  const of = (part: keyof Cost) => costs.map((cost) => cost[part]);
  const [client, endpoint] = [median(of('client')).toFixed(2), median(of('endpoint')).toFixed(2)];
  console.log(`${name.padEnd(26)} ${spread(of('wall'))}; processors: client ${client} s, endpoint ${endpoint} s`);
}

const execFileAsync = promisify(execFile);

/** What the run before has left to be written to the disk is not the next one's. */
const settled = () => execFileAsync('sync');

const ratio = (a: readonly Cost[], b: readonly Cost[]) =>
  (median(a.map(({ wall }) => wall)) / median(b.map(({ wall }) => wall))).toFixed(2);

async function createBucket({ url, ...credentials }: Access): Promise<void> {
  const s3 = new S3Client({ region: 'ap-south-1', endpoint: url, forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
}

/** Gives the seconds of a processor that it took. */
async function publishOnce(projectId: string, root: string, { url, ...keys }: Access): Promise<number> {
  const before = process.cpuUsage();
  const objects = s3Objects({ bucket: BUCKET, region: 'ap-south-1', sessionToken: undefined, endpoint: url, ...keys });
  await publishSite({
    objects,
    base: await liveManifest(objects, projectId),
    bucket: BUCKET,
    projectId,
    deploymentId: ulid().toLowerCase(),
    attempt: 1,
    commit: '0'.repeat(40),
    output: { root, name: 'dist', inside: root, holds: 'output', maxFiles: 50_000, maxBytes: 1e9, ownerUid: undefined },
    // Its time is measured by `scan`.
    inspect: async (files) => ({ files, warnings: [] }),
    built: true,
    precompress: true,
    hold: false,
    signal: new AbortController().signal,
    now: Date.now,
    say: () => undefined,
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Gives the seconds of a processor that it took. Null where rclone is not installed. */
async function rcloneCopy(output: string, access: Access, flags: readonly string[] = []) {
  const there = await execFileAsync('rclone', ['version']).catch(() => null);
  if (!there) return null;
  const env = {
    RCLONE_CONFIG_BENCH_TYPE: 's3',
    RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
    RCLONE_CONFIG_BENCH_ENDPOINT: access.url,
    RCLONE_CONFIG_BENCH_REGION: 'ap-south-1',
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: access.accessKeyId,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: access.secretAccessKey,
    RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE: 'true',
    RCLONE_CONFIG: '/dev/null',
    PATH: process.env.PATH,
  };
  const timed = ['-c', 'TIMEFORMAT="%U %S"; time "$@" >&2', 'bash'];
  return async (prefix: string) => {
    const argv = ['rclone', 'copy', ...flags, output, `bench:${BUCKET}/${prefix}`];
    const { stderr } = await execFileAsync('bash', [...timed, ...argv], { env });
    const [user = 0, system = 0] = stderr.trimEnd().split('\n').at(-1)!.split(' ').map(Number);
    return user + system;
  };
}
