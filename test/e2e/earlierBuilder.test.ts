import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { buildJobId } from '../../contract/jobs.ts';
import { DEFAULT_BUCKET, DEFAULT_REGION, QUEUES, s3Keys, TOPICS, type Topic } from '../../contract/names.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { createCredentialStore } from '../../local/awsProtocol/credentials.ts';
import { startKafkaEndpoint } from '../../local/kafka/endpoint.ts';
import { startS3Endpoint } from '../../local/s3/endpoint.ts';
import { startStsEndpoint } from '../../local/sts/endpoint.ts';
import { type ControlPlane, controlPlane } from '../support/controlPlane/controlPlane.ts';
import { simulatedEcs } from '../support/controlPlane/simulatedEcs.ts';
import { movableClock } from '../support/controlPlane/world.ts';
import { cloneEarlierSite, earlierStage, unpackEarlierBuilder, unpackEarlierData } from '../support/earlierStage.ts';
import { SIGNING } from '../support/signing.ts';
import { ROOT, temporaryFolder } from '../support/veren.ts';

const { deployments, builder } = earlierStage;
const ID = deployments.underway;
const JOB = buildJobId(ID, 'frontend');

type Statement = (typeof builder.policy.Statement)[number];

/** On `__outputs/` the role of this version allows less than the session of a build of d91163f. */
const withinRole = (statements: readonly Statement[]): Statement[] =>
  statements.flatMap((s) => {
    const resources = [s.Resource].flat();
    const [outputs, others] = [true, false].map((is) => resources.filter((r) => r.includes('/__outputs/') === is));
    const rest: Statement[] = [{ ...s, Resource: others! }];
    return outputs!.length === 0 ? [s] : [...rest, { ...s, Action: ROLE_ON_OUTPUTS, Resource: outputs! }];
  });
/** `test/lib/details.test.ts` holds the template to it. */
const ROLE_ON_OUTPUTS = ['s3:PutObject', 's3:DeleteObject'];

/** Bundles d91163f's frontend builder as its image has it; gives the folder of its sources and the script. */
function bundleEarlierBuilder(folder: string) {
  unpackEarlierBuilder(folder);
  const sources = join(folder, 'builder-images');
  const script = join(folder, 'script.mjs');
  const banner =
    "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  const entry = join(sources, 'builder-image-frontend/script.ts');
  const how = ['--bundle', '--platform=node', '--target=node20', '--format=esm', `--banner:js=${banner}`];
  const external = ['@aws-sdk/signature-v4-crt', '@aws-sdk/crt-loader', 'aws-crt'].map((name) => `--external:${name}`);
  execFileSync(
    join(ROOT, 'node_modules/.bin/esbuild'),
    [entry, ...how, ...external, `--outfile=${script}`, '--log-level=error'],
    { env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') } },
  );
  return { main: join(sources, 'builder-image-frontend/main.sh'), script };
}

/**
 * The stage as d91163f has left it (its journal, its bucket), this version's functions on it, and the build that was under
 * way: d91163f's builder with the environment and the session that d91163f has given it.
 */
async function takeOver(folder: string, topics: readonly Topic[]) {
  const dataDir = unpackEarlierData(folder);
  const site = cloneEarlierSite(folder);
  const { main, script } = bundleEarlierBuilder(folder);
  const clock = movableClock();
  const credentials = await createCredentialStore({ dataDir });
  const [s3Endpoint, stsEndpoint] = [
    await startS3Endpoint({ dataDir, credentials }),
    await startStsEndpoint({ credentials }),
  ];
  const sdk = { region: DEFAULT_REGION, credentials: credentials.root };
  const s3 = new S3Client({ ...sdk, endpoint: s3Endpoint.url, forcePathStyle: true });
  const sts = new STSClient({ ...sdk, endpoint: stsEndpoint.url });
  const ports = await openMemoryPlatform({ dataDir, clock });
  const broker = await startKafkaEndpoint({
    topics,
    onMessages: (topic, messages) => plane.bus.publish(topic as Topic, messages),
  });
  const { Credentials: keys } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: 'arn:aws:iam::000000000000:role/veren-build',
      RoleSessionName: 'build',
      Policy: JSON.stringify({ ...builder.policy, Statement: withinRole(builder.policy.Statement) }),
    }),
  );
  const work = join(folder, 'work');
  mkdirSync(work);
  const env = {
    ...builder.environment,
    GIT_REPOSITORY__URL: `file://${site}`,
    BUILD_ENV: JSON.stringify({ GREETING: 'hello', SLOW_MS: '300' }),
    AWS_ACCESS_KEY_ID: keys!.AccessKeyId!,
    AWS_SECRET_ACCESS_KEY: keys!.SecretAccessKey!,
    AWS_SESSION_TOKEN: keys!.SessionToken!,
    AWS_ENDPOINT_URL_S3: s3Endpoint.url,
    KAFKA_BROKERS: broker.broker,
    KAFKA_SECURITY: 'plaintext',
    PATH: process.env.PATH!,
    VEREN_NODE: process.execPath,
    VEREN_SCRIPT: script,
    VEREN_WORKDIR: work,
    VEREN_TOOLS: join(folder, 'tools'),
    VEREN_REPORT_WAIT: '2',
  };
  const output: string[] = [];
  const stopped: object[] = [];
  const signing = { ...SIGNING, since: Date.now() };
  const ecs = await simulatedEcs({
    container: (given) =>
      new Promise((done) => {
        const child = spawn('bash', [main], { env: { ...given }, stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
        child.once('exit', (code) => done(code ?? 1));
      }),
    onStopped: (event) => stopped.push(event),
  });
  const plane: ControlPlane = controlPlane({
    storage: ports,
    clock,
    endpoints: { ecs: ecs.url, sts: stsEndpoint.url, s3: s3Endpoint.url },
    credentials: credentials.root,
    bucket: DEFAULT_BUCKET,
    signing: async () => signing,
  });
  const client = new ECSClient({ ...sdk, endpoint: ecs.url });
  await client.send(
    new RunTaskCommand({
      cluster: 'builder',
      taskDefinition: 'builder-task-20',
      clientToken: builder.startedBy,
      startedBy: builder.startedBy,
      overrides: {
        containerOverrides: [{ environment: Object.entries(env).map(([name, value]) => ({ name, value })) }],
      },
    }),
  );
  // This ECS gives the task an ARN of its own.
  await ports.queue.note(QUEUES.build, JOB, { taskArn: ecs.log[0]!.arn });
  return {
    ports,
    plane,
    output,
    advance: clock.advance,
    projects: openProjectStore({ s3, bucket: DEFAULT_BUCKET, clock }),
    /** Resolves to the state change when the builder's container has ended. */
    async stopped(): Promise<object> {
      while (stopped.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await plane.idle();
      return stopped[0]!;
    },
    async page(key: string): Promise<string> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: DEFAULT_BUCKET, Key: key }));
      return Body!.transformToString();
    },
    async close() {
      await plane.idle();
      await plane.close();
      await ecs.close();
      await broker.close();
      await ports.close();
      for (const c of [s3, sts, client]) c.destroy();
      await Promise.all([s3Endpoint.close(), stsEndpoint.close()]);
    },
  };
}

describe('a builder of commit d91163f that was under way when the stage was updated', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let stage: Awaited<ReturnType<typeof takeOver>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await stage.close();
    await folder.remove();
  });

  /** Its deployment has succeeded in its first attempt, its site is production's, its slot is free. */
  async function expectReleased() {
    const record = await stage.plane.record(ID);
    expect([record.status, record.builds.frontend?.attempt]).toEqual(['succeeded', 1]);
    await stage.plane.idle();
    expect((await stage.projects.get('shop'))?.release?.deploymentId).toBe(ID);
    expect(await stage.plane.sites.find('shop')).toMatchObject({ deploymentId: ID });
    expect(await stage.page(`${s3Keys.deploymentFiles('shop', ID)}index.html`)).toContain('<p>slow</p>');
    expect(await stage.page(`${s3Keys.deploymentFiles('shop', ID)}assets/app-BXl3k9aQ.js`)).toContain('the same');
    expect(await stage.page('__outputs/shop/index.html')).toContain('<p>slow</p>');
    expect(await stage.ports.queue.list(QUEUES.build, 'active')).toEqual([]);
  }

  test('it reports on the topics of its version, and its deployment is released', async () => {
    stage = await takeOver(folder.path, [TOPICS.events, TOPICS.logs]);
    await stage.plane.watch(await stage.stopped());
    await expectReleased();
    const { phases } = (await stage.plane.record(ID)).builds.frontend!;
    expect(phases.map(({ name, ok }) => [name, ok])).toEqual(
      ['fetch', 'install', 'build', 'publish'].map((name) => [name, true]),
    );
    const lines = (await stage.ports.logs.read(ID, 0, 1_000)).map(({ line }) => line);
    expect(lines).toEqual(expect.arrayContaining(['building slow with hello', 'there is a cache']));
  }, 120_000);

  test('where the update has taken away its topic, its exit code ends its deployment, which is released', async () => {
    stage = await takeOver(folder.path, [TOPICS.buildEvents, TOPICS.logs]);
    const event = await stage.stopped();
    expect((await stage.plane.record(ID)).status).toBe('building');
    await stage.plane.watch(event);
    stage.advance(30_000);
    await stage.plane.watch(event);
    await stage.plane.idle();
    await expectReleased();
  }, 120_000);
});
