import { Agent, request } from 'node:http';
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { s3Keys } from '../contract/names.ts';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { openMemoryPlatform } from '../local/adapters/memory/platform.ts';
import { startSiteServer } from '../local/sites/server.ts';
import { type ControlPlaneOptions, controlPlane } from '../test/support/controlPlane/controlPlane.ts';
import { untilEnded } from '../test/support/controlPlane/untilEnded.ts';
import { BUCKET, openWorld, type World } from '../test/support/controlPlane/world.ts';
import { anyRedis, redisMissing } from '../test/support/redis.ts';
import { median, percentile } from './_stats.ts';

const SWITCHES = 200;
const REQUESTS = 2_000;
const AT_ONCE = 16;
const ROUNDS = 5;

/**
 * A switch: from POST /promote until the route shows it, on the laptop's adapters and on a real Redis. And requests per
 * second of the laptop's site server, for the same page by its route and from `__outputs/`, as before there were routes.
 */
export async function run(): Promise<void> {
  const world = await openWorld();
  try {
    const ports = await openMemoryPlatform({ dataDir: `${world.dataDir}/journal`, clock: { now: Date.now } });
    await measureSwitches('laptop', world, ports, ports.sites);
    await measureServing(world, ports.sites);
    await ports.close();
    if (redisMissing) return console.log(`real Redis: skipped: ${redisMissing}`);
    const engine = await anyRedis();
    const client = connectRedis({ url: engine.url });
    const redis = openRedisPorts(client, { prefix: engine.prefix() });
    await measureSwitches('real Redis', world, redis);
    await redis.close();
    client.disconnect();
  } finally {
    await world.close();
  }
}

async function measureSwitches(
  where: string,
  world: World,
  storage: ControlPlaneOptions['storage'],
  sites?: ControlPlaneOptions['sites'],
): Promise<void> {
  const projectId = where === 'laptop' ? 'bench' : 'bench-redis';
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
  );
  const plane = controlPlane({ storage, clock: { now: Date.now }, ...world.around(ecs), ...(sites && { sites }) });
  const ids: string[] = [];
  // One after the other: the second would supersede the first.
  for (let i = 0; i < 2; i++) {
    ids.push(await plane.deploy({ projectId }));
    await untilEnded(plane, ids, { advance: () => undefined });
  }
  await plane.idle();
  const took: number[] = [];
  for (let i = 0; i < SWITCHES; i++) {
    const id = ids[i % 2] as string;
    const at = performance.now();
    const { status } = await plane.call('POST', `/deployments/${id}/promote`);
    if (status !== 202) throw new Error(`promote: ${status}`);
    while ((await plane.sites.find(projectId))?.deploymentId !== id) await new Promise(setImmediate);
    took.push(performance.now() - at);
  }
  await plane.idle();
  const [p50, p99] = [0.5, 0.99].map((p) => percentile(took, p).toFixed(1));
  console.log(`${where}: ${SWITCHES} switches, p50 ${p50} ms, p99 ${p99} ms`);
  await plane.close();
}

async function measureServing(world: World, sites: NonNullable<ControlPlaneOptions['sites']>): Promise<void> {
  const { s3, dataDir } = world;
  const server = await startSiteServer({ dataDir, s3, bucket: BUCKET, sites });
  const released = (await sites.find('bench'))!.deploymentId;
  // The same page, of a project that has no route.
  await s3.send(
    new CopyObjectCommand({
      Bucket: BUCKET,
      Key: `${s3Keys.site('plain')}index.html`,
      CopySource: `${BUCKET}/${s3Keys.deploymentFiles('bench', released)}index.html`,
    }),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const urls = await Promise.all(
    ['bench', 'plain'].map(async (projectId) => {
      const of = { projectId, deploymentId: released, plan: null };
      return (await server.addressesOf(of, null)).url;
    }),
  );
  const fetchPage = (url: string) =>
    new Promise<void>((done, failed) => {
      request(url, { agent }, (response) => {
        if (response.statusCode !== 200) failed(new Error(`${url}: ${response.statusCode}`));
        response.resume().on('end', done);
      })
        .on('error', failed)
        .end();
    });
  const perSecond = async (url: string) => {
    let left = REQUESTS;
    const start = performance.now();
    const lane = async () => {
      while (left-- > 0) await fetchPage(url);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return REQUESTS / ((performance.now() - start) / 1_000);
  };
  const [routed, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    routed.push(await perSecond(urls[0] as string));
    plain.push(await perSecond(urls[1] as string));
  }
  const [by, from] = [median(routed), median(plain)];
  console.log(
    `site server: by route ${by.toFixed(0)} requests/s, from __outputs/ ${from.toFixed(0)}, ${(by / from).toFixed(2)} times`,
  );
  agent.destroy();
  await server.close();
}
