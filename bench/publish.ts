import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { ulid } from 'ulid';
import { liveManifest, publish } from '../builder-images/builder-image-frontend/utils/publish.ts';
import { s3Objects } from '../builder-images/shared/objects.ts';
import { makeOutput } from './_output.ts';
import { median, spread, timed } from './_stats.ts';

const ROUNDS = 3;
const BUCKET = 'bench';

/** Milliseconds before each answer: none is this machine's loopback; S3 in the same region answers a PUT in 15 to 30 ms. */
const LATENCIES = [0, 15];

/**
 * Publishing 5,000 small and 20 large files against `rclone copy` of the same folder to the same S3 endpoint, which runs
 * in a process of its own. Ours does more: the immutable copy, then the live site. Then the same with ten changed files.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  const output = join(folder, 'dist');
  await makeOutput(output);
  try {
    for (const latencyMs of LATENCIES) {
      console.log(`\n${latencyMs === 0 ? 'loopback' : `${latencyMs} ms before each answer`}`);
      await measure(output, join(folder, `s3-${latencyMs}`), latencyMs);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(output: string, data: string, latencyMs: number): Promise<void> {
  const server = fork(join(import.meta.dirname, '_s3.ts'), [data, String(latencyMs)]);
  try {
    const [access] = (await once(server, 'message')) as [Access];
    await createBucket(access);
    const rclone = await rcloneCopy(output, access);
    const tuned = await rcloneCopy(output, access, ['--transfers=48', '--checkers=48', '--s3-no-check-bucket']);
    const times = { first: [] as number[], again: [] as number[], rclone: [] as number[], tuned: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const project = `bench-${round}`;
      const first = async () => {
        await settled();
        times.first.push(await timed(() => publishOnce(project, output, access)));
        for (let i = 0; i < 10; i++)
          await appendFile(join(output, 'pages', `${round * 10 + i}.html`), '<!-- changed -->');
        await settled();
        times.again.push(await timed(() => publishOnce(project, output, access)));
      };
      const theirs = async () => {
        if (!rclone || !tuned) return;
        await settled();
        times.rclone.push(await timed(() => rclone(`plain-${round}`)));
        await settled();
        times.tuned.push(await timed(() => tuned(`tuned-${round}`)));
      };
      await (round % 2 === 0 ? first().then(theirs) : theirs().then(first));
    }
    console.log(`publish, first             ${spread(times.first)}`);
    console.log(`publish, 10 files changed  ${spread(times.again)}`);
    console.log(`first / changed            ${ratio(times.first, times.again)} (goal: at least 10)`);
    if (times.rclone.length === 0) return console.log('rclone is not installed: no baseline');
    console.log(`rclone copy                ${spread(times.rclone)}`);
    console.log(`rclone copy, 48 at once    ${spread(times.tuned)}`);
    console.log(`rclone / publish           ${ratio(times.rclone, times.first)} (goal: at least 1.5)`);
    console.log(`rclone 48 / publish        ${ratio(times.tuned, times.first)}`);
  } finally {
    server.disconnect();
    await once(server, 'exit');
  }
}

/** What the run before has left to be written to the disk is not the next one's. */
const settled = () => execa('sync');

const ratio = (a: number[], b: number[]) => (median(a) / median(b)).toFixed(2);

interface Access {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function createBucket({ url, ...credentials }: Access): Promise<void> {
  const s3 = new S3Client({ region: 'ap-south-1', endpoint: url, forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
}

async function publishOnce(projectId: string, root: string, { url, ...keys }: Access): Promise<void> {
  const objects = s3Objects({ bucket: BUCKET, region: 'ap-south-1', sessionToken: undefined, endpoint: url, ...keys });
  await publish({
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
    signal: new AbortController().signal,
    now: Date.now,
    say: () => undefined,
  });
}

/** Null where rclone is not installed. */
async function rcloneCopy(output: string, access: Access, flags: readonly string[] = []) {
  const there = await execa('rclone', ['version'], { reject: false });
  if (there.failed) return null;
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
  return (prefix: string) =>
    execa('rclone', ['copy', ...flags, output, `bench:${BUCKET}/${prefix}`], { env, extendEnv: false });
}
