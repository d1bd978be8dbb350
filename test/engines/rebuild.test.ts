import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaTransport } from '../../builder-images/shared/kafka.ts';
import { Reporter } from '../../builder-images/shared/reporter.ts';
import { monthOf } from '../../contract/cost.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import { s3Keys, TOPICS } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import { projectBatch } from '../../lambdas/event-projector/project.ts';
import { kafkaBus } from '../../lambdas/shared/adapters/kafka/bus.ts';
import { connectRedis } from '../../lambdas/shared/adapters/redis/connect.ts';
import { redisPermissions } from '../../lambdas/shared/adapters/redis/permissions.ts';
import { openRedisPorts } from '../../lambdas/shared/adapters/redis/ports.ts';
import { type Archive, s3Archive } from '../../lambdas/shared/archive.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { readLogPages } from '../../lambdas/shared/logs/followLog.ts';
import { makeLogArchiver } from '../../lambdas/shared/logs/makeLogArchiver.ts';
import type { DeploymentStore, EventBus, LogChannel } from '../../lambdas/shared/ports.ts';
import { type CostStore, openCostStore } from '../../lambdas/shared/projects/costStore.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { buildKey, signedBus } from '../../lambdas/shared/signing.ts';
import { consumeAsLambda } from '../../local/adapters/kafka/consumeAsLambda.ts';
import { ensureTopics } from '../../local/adapters/kafka/topics.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { clearLog } from '../../operator/rebuild/clearLog.ts';
import { readTopics } from '../../operator/rebuild/readTopics.ts';
import { rebuildState } from '../../operator/rebuild/rebuild.ts';
import { BUCKET, openWorld } from '../support/controlPlane/world.ts';
import { describeWith } from '../support/engines.ts';
import { frontendPlan, taskUse } from '../support/events.ts';
import { ownKafka, ownKafkaMissing } from '../support/kafka.ts';
import { silentLog } from '../support/log.ts';
import { rebuildCommand as command } from '../support/rebuildCommand.ts';
import { ownRedis, ownRedisMissing } from '../support/redis.ts';
import { SIGNING } from '../support/signing.ts';
import { exampleRepository, HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

const BUILDS = 10;
const LINES = 300;
const topics = Object.values(TOPICS);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface State {
  readonly store: DeploymentStore;
  readonly logs: LogChannel;
}

/**
 * Builders' own reporter on a real broker, two projectors that follow it: one keeps its state in a real Redis, which is
 * flushed; the other one, which nothing happens to, says what should be there.
 */
describeWith(ownRedisMissing ?? ownKafkaMissing, 'Redis is lost in the middle of ten builds', () => {
  it('and rebuilt: every record and every log as if nothing had happened', async () => {
    // First what may not start: what was started before it would be left.
    const broker = await ownKafka();
    const [redis, world] = await Promise.all([ownRedis(), openWorld()]);
    const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
    await ensureTopics(kafka, { partitions: 3, replicas: 1 });
    const client = connectRedis({ url: redis.url });
    const prefix = redis.prefix();
    const hot = openRedisPorts(client, { prefix });
    const twin = await openMemoryPlatform({ clock: { now: Date.now } });
    const archive = s3Archive(world.s3, BUCKET);
    const projects = openProjectStore({ s3: world.s3, bucket: BUCKET, clock: { now: Date.now } });
    const costs = openCostStore(openDocuments(world.s3, BUCKET));
    await projects.ensure('never-deployed', 'ada', {});
    const nowhere: Archive = { ...archive, writeRecord: async () => {}, writeLog: async () => {} };
    const plain = kafkaBus(kafka);
    const bus = signedBus(plain, async () => SIGNING);
    const stops = [await projector(kafka, hot, archive, costs), await projector(kafka, twin, nowhere)];
    const ids = Array.from({ length: BUILDS }, (_, i) => `build${i}`);
    // As docs/operations.md has it: a user of its own, with no more than this.
    const rules = [...redisPermissions(prefix, ['store', 'logs']), '+unlink'];
    await client.call('ACL', 'SETUSER', 'rebuild', 'reset', 'on', '>password', ...rules);
    const operator = connectRedis({ url: redis.url.replace('//', '//rebuild:password@') });
    const { store, logs, close } = openRedisPorts(operator, { prefix });
    const run = () =>
      rebuildState({
        store,
        logs,
        archive,
        archiveLog: makeLogArchiver({ logs, archive }),
        clearLog: (id) => clearLog(operator, prefix, id),
        read: (onMessage) => readTopics(kafka, topics, onMessage),
        signing: SIGNING,
        place: { bucket: BUCKET },
        now: Date.now,
        projects,
        costs,
      });
    try {
      // One that ended so long ago that Kafka has forgotten it, and one whose message nobody could read.
      const stores = [hot.store, twin.store];
      await build(bus, broker.brokers, stores, 'old', {});
      await until(async () => (await archive.readLog('old', 0))?.length === LINES);
      await forget(kafka);
      await bus.publish(TOPICS.events, [{ key: 'x', value: 'no JSON' }]);

      // Two end before the flush, two between it and the rebuild, the others are at it all the time.
      const [flushed, rebuilt] = [gate(), gate()];
      const builds = ids.map((id, i) =>
        build(bus, broker.brokers, stores, id, {
          ...(i >= 2 && { half: flushed.passed }),
          ...(i >= 4 && { threeQuarters: rebuilt.passed }),
          fails: i % 3 === 0,
        }),
      );
      await until(async () => (await hot.store.unfinished()).length === BUILDS - 2);
      await until(async () => (await hot.logs.read('build9', LINES / 2 - 1, 1)).length === 1);
      const flusher = new Redis(redis.url);
      await flusher.flushall();
      flusher.disconnect();
      expect(await hot.store.get('build0')).toBeNull();
      flushed.open();
      await Promise.all(builds.slice(0, 4));
      await until(async () => (await twin.store.unfinished()).length === BUILDS - 4);
      // The rest have gone on meanwhile: their first lines after the flush stand where the first ones of all belong.
      await until(async () => (await hot.logs.read('build9', 0, 1))[0]?.line === `line ${LINES / 2}`);

      const oldCosts = s3Keys.costsOf('p-old', monthOf(new Date().toISOString()));
      await world.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: oldCosts }));
      const report = await run();
      expect(report).toMatchObject({ deployments: BUILDS + 1, archived: 2, malformed: 1, differing: [] });
      expect(report.unfinished.toSorted()).toEqual(ids.slice(4));
      expect(report.recordsRestored).toBe(BUILDS + 1);
      expect(report.projects).toBe(1);
      expect(await hot.store.projectOwner('never-deployed')).toBe('ada');
      // The sum that was removed, and any whose event came when its deployment was not known.
      expect(report.costsRestored).toBeGreaterThanOrEqual(1);
      rebuilt.open();
      await Promise.all(builds);

      for (const id of ['old', ...ids]) {
        await until(async () => isTerminal((await hot.store.get(id))!.record.status));
        await until(async () => (await archive.readRecord(id)) !== null);
        const [stored, expected] = [await hot.store.get(id), await twin.store.get(id)];
        expect(stored?.record).toEqual(expected?.record);
        expect(stored?.facts).toEqual(expected?.facts);
        expect(await archive.readRecord(id)).toEqual(expected?.record);
        await until(async () => (await lines(hot.logs, archive, id)).length >= LINES);
        expect(await lines(hot.logs, archive, id)).toEqual(await lines(twin.logs, archive, id));
      }
      for (const id of ['old', ...ids]) {
        const { microUsd } = (await twin.store.get(id))!.record.cost!;
        await until(async () => (await costs.sum(`p-${id}`, monthOf(new Date().toISOString()))).deployments === 1);
        expect(await costs.sum(`p-${id}`, monthOf(new Date().toISOString()))).toEqual({
          ...{ microUsd, deployments: 1, unpriced: 0 },
        });
      }
      expect(await hot.store.unfinished()).toEqual([]);
      expect(await hot.store.projectOwner('p-old')).toBe('ada');
      const listed = await hot.store.list({ owner: 'ada', limit: 20 });
      expect(listed).toEqual(await twin.store.list({ owner: 'ada', limit: 20 }));
      // Once more changes nothing.
      expect(await run()).toMatchObject({
        recordsRestored: 0,
        costsRestored: 0,
        logsRestored: 0,
        archived: 0,
        unfinished: [],
        differing: [],
      });
    } finally {
      await Promise.all(stops.map((stop) => stop()));
      await plain.close();
      await Promise.all([hot.close(), close()]);
      client.disconnect();
      operator.disconnect();
      await twin.close();
      await Promise.all([redis.stop(), broker.stop(), world.close()]);
    }
  }, 600_000);
});

describeWith(ownRedisMissing ?? ownKafkaMissing, 'the command', () => {
  it('gives a laptop back what its lost Redis knew', async () => {
    const folder = await temporaryFolder();
    const data = join(folder.path, 'data');
    const [redis, broker] = await Promise.all([ownRedis(), ownKafka()]);
    const engines = { REDIS_URL: redis.url, KAFKA_BROKERS: broker.brokers };
    try {
      const veren = await startVeren(data, engines);
      const gitUrl = await exampleRepository('static-page', folder.path);
      const { deploymentId } = await veren.deploy({ projectId: 'kept', gitUrl, frontend: HOST_NODE });
      const before = [await veren.client.getDeployment(deploymentId), await veren.logs(deploymentId)];
      await expect(command(data, engines)).rejects.toThrow(/DATA_FOLDER_LOCKED/);
      expect(await veren.stop()).toBe(0);
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
      expect(await command(data, engines)).toMatchObject({ deployments: 1, recordsRestored: 1, differing: [] });

      const again = await startVeren(data, engines);
      const after = [await again.client.getDeployment(deploymentId), await again.logs(deploymentId)];
      // The platform listens on another port than before.
      expect(JSON.stringify(after).replaceAll(again.url, veren.url)).toBe(JSON.stringify(before));
      expect(await again.stop()).toBe(0);
    } finally {
      await Promise.all([redis.stop(), broker.stop(), folder.remove()]);
    }
  }, 120_000);
});

/** The event-projector as a consumer group. Nobody has jobs or is subscribed here. */
function projector(kafka: Kafka, { store, logs }: State, archive: Archive, costs?: CostStore) {
  const nobody = async () => {
    throw new Error('nobody is there');
  };
  const deps = {
    store,
    logs,
    archive,
    archiveLog: makeLogArchiver({ logs, archive }),
    // Releases are asked for, and nobody carries them out.
    queue: { get: async () => null, enqueue: async () => true } as never,
    waker: { wake: async () => undefined },
    subscriptions: { subscribers: async () => [] } as never,
    notifier: { send: nobody },
    stopBuilds: nobody,
    ...(costs && { costs }),
    park: async () => {},
    clock: { now: Date.now },
    signing: async () => SIGNING,
    place: { bucket: BUCKET },
    refuse: () => {},
    log: silentLog,
  };
  return consumeAsLambda({
    kafka,
    groupId: randomUUID(),
    topics,
    handler: (event) => projectBatch(deps, event),
    onError: () => {},
  });
}

/** A deployment from its request to its end, its builder pausing at half and at three quarters of its log. */
async function build(
  bus: EventBus,
  brokers: string,
  stores: readonly DeploymentStore[],
  deploymentId: string,
  options: { half?: Promise<void>; threeQuarters?: Promise<void>; fails?: boolean },
): Promise<void> {
  const projectId = `p-${deploymentId}`;
  const publish = (type: string, body: object) => {
    const event = { v: 1, id: `${deploymentId}-${type}`, at: new Date().toISOString(), deploymentId, projectId, type };
    return bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify({ ...event, ...body }) }]);
  };
  type Requested = Extract<DeploymentEvent, { type: 'deployment.requested' }>;
  const asked: Pick<Requested, 'owner' | 'gitUrl' | 'ref'> = {
    owner: 'ada',
    gitUrl: 'https://git.example/a.git',
    ref: null,
  };
  // As the API does it: what builders tell is on a topic of its own, and may be there before the request is.
  const requested: Requested = {
    v: 1,
    id: `${deploymentId}-deployment.requested`,
    at: new Date().toISOString(),
    deploymentId,
    projectId,
    type: 'deployment.requested',
    ...asked,
  };
  for (const store of stores) await store.create({ requested, request: { projectId, gitUrl: asked.gitUrl } });
  await publish('deployment.requested', requested);
  await publish('deployment.analyzed', { plan: frontendPlan() });
  const target = 'frontend';
  await publish('build.started', { target, attempt: 1, taskArn: `arn:task/${deploymentId}`, nodeVersion: 24 });
  await publish('build.used', { target, attempt: 1, use: taskUse() });
  const credentials = { AWS_REGION: '', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '' };
  const reporter = new Reporter({
    identity: { deploymentId, projectId, target, attempt: 1 },
    transport: kafkaTransport(
      {
        KAFKA_BROKERS: brokers,
        KAFKA_SECURITY: 'plaintext',
        ...credentials,
        EVENT_SIGNING_KEY: buildKey(SIGNING, { deploymentId, target, attempt: 1 }),
      },
      deploymentId,
    ),
    mask: { mask: (text: string) => text } as never,
    now: Date.now,
  });
  reporter.phaseStarted('build');
  for (let i = 0; i < LINES; i++) {
    if (i === LINES / 2) await options.half;
    if (i === (LINES * 3) / 4) await options.threeQuarters;
    reporter.presented('stdout', `line ${i}`);
    if (i % 20 === 0) await sleep(5);
  }
  reporter.phaseFinished('build', !options.fails);
  const artifact = { kind: 'static', bucket: BUCKET, prefix: s3Keys.site(projectId), files: 1, bytes: 2 } as const;
  const sent = options.fails
    ? await reporter.failed({ code: 'BUILD_FAILED', message: 'exit 1', lastLines: reporter.lastLines }, BOUND_MS)
    : await reporter.succeeded(artifact, BOUND_MS);
  await reporter.close();
  if (!sent) throw new Error(`the last event of ${deploymentId} was not taken`);
}

/** Drops everything that is on the topics, as the end of the retention does. */
async function forget(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  for (const topic of topics) {
    const offsets = await admin.fetchTopicOffsets(topic);
    const partitions = offsets
      .filter((o) => o.low !== o.high)
      .map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic, partitions });
  }
  await admin.disconnect();
}

async function lines(logs: LogChannel, archive: Archive, id: string) {
  const found = [];
  for await (const page of readLogPages({ logs, archive }, id, 0)) found.push(...page);
  return found;
}

function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/**
 * A consumer whose process stands still for longer than its session joins its group anew, which takes seconds each time on
 * a busy machine: so this bound is for what never comes.
 */
const BOUND_MS = 120_000;

async function until(condition: () => Promise<boolean>): Promise<void> {
  const began = Date.now();
  while (!(await condition())) {
    if (Date.now() - began > BOUND_MS) throw new Error(`not within ${BOUND_MS / 1_000} s: ${condition}`);
    await sleep(20);
  }
}
