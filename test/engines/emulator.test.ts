import { WebSocket } from 'ws';
import type { VerenClient } from '../../cli/client/VerenClient.ts';
import type { DeploymentView } from '../../contract/api.ts';
import { builderFor } from '../../contract/builders.ts';
import { VARIANT_SUFFIX } from '../../contract/manifest.ts';
import { isTerminal } from '../../contract/record.ts';
import { type ServerMessage, ServerMessageSchema } from '../../contract/websocket.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { ownKafkaMissing } from '../support/kafka.ts';
import { emulatorMissing } from '../support/ministack.ts';
import { ownRedisMissing } from '../support/redis.ts';
import { EmulatorWorld } from './emulatorWorld.ts';

const MINUTE = 60_000;
const NODE = 20;
/** Lines of a stack trace that point at our sources. */
const OUR_TRACE = /^\s+at .*(bin|lib|lambdas|contract)\//m;

/** The stage `local` on an AWS emulator, used through its addresses only. The tests follow each other. */
describeWith(
  tooSlow ?? emulatorMissing ?? ownRedisMissing ?? ownKafkaMissing,
  'the deployed app on an emulator',
  () => {
    let world: EmulatorWorld;
    let outputs: Record<string, string>;
    let client: VerenClient;
    let record: DeploymentView;
    let messages: ServerMessage[];
    let sleeper: DeploymentView;

    beforeAll(async () => {
      world = await EmulatorWorld.start();
    }, MINUTE);

    afterAll(async () => {
      expect(await world.close()).toEqual([]);
    }, MINUTE);

    it(
      'is deployed by cdklocal',
      async () => {
        const bootstrap = await world.checkout.cdklocal('bootstrap');
        expect(bootstrap).toMatchObject({ code: 0 });
        ({ outputs } = await world.checkout.deploy());
        client = await world.client(outputs.ApiUrl!);
        expect((await fetch(`${outputs.ApiUrl}/healthz`)).status).toBe(200);
        expect((await fetch(`${outputs.ApiUrl}/deployments`)).status).toBe(401);
      },
      6 * MINUTE,
    );

    it(
      'deploys the React example from a git host, told by HTTP and WebSocket',
      async () => {
        const gitUrl = await world.repository('react-vite');
        const { deploymentId } = await client.createDeployment({
          projectId: 'react',
          gitUrl,
          frontend: { nodeVersion: NODE },
          env: { GREETING: 'hello' },
        });
        messages = await followed(outputs.WebSocketUrl!, world.token, deploymentId);
        record = await client.getDeployment(deploymentId);
        expect(record).toMatchObject({
          status: 'succeeded',
          gitUrl,
          builds: { frontend: { status: 'succeeded', attempt: 1 } },
        });
        expect(record.builds.frontend?.phases.map(({ name, ok }) => [name, ok])).toEqual([
          ['fetch', true],
          ['install', true],
          ['build', true],
          ['publish', true],
        ]);
        const statuses = messages.flatMap((m) => (m.type === 'deployment' ? [m.record.status] : []));
        expect(messages[0]).toMatchObject({ type: 'snapshot', records: [{ deploymentId }] });
        expect([...new Set(statuses)].slice(-2)).toEqual(['building', 'succeeded']);
      },
      3 * MINUTE,
    );

    it('has the log and the site where they belong', async () => {
      const answer = await fetch(`${outputs.ApiUrl}/deployments/${record.deploymentId}/logs`, {
        headers: { Authorization: `Bearer ${world.token}` },
      });
      expect(await answer.text()).toContain('vite');
      // The files are copied there once production has switched to them.
      let site: string[] = [];
      for (let i = 0; i < 100 && !site.includes('__outputs/react/index.html'); i++) {
        if (i > 0) await new Promise((resolve) => setTimeout(resolve, 300));
        site = await world.objects('__outputs/react/');
      }
      expect(site).toContain('__outputs/react/index.html');
      expect(site).toContainEqual(expect.stringMatching(/^__outputs\/react\/assets\/.+\.js$/));
      // Compressed variants lie beside what they are of.
      const files = site.filter((key) => !Object.values(VARIANT_SUFFIX).some((suffix) => key.endsWith(suffix)));
      expect(record.builds.frontend?.artifact).toMatchObject({ prefix: '__outputs/react/', files: files.length });
    });

    it('asked ECS for what the contract says, variable by variable', async () => {
      const builder = builderFor('frontend', NODE);
      const task = await world.task(record.builds.frontend!.taskArn!);
      expect(task).toMatchObject({
        clusterArn: expect.stringMatching(new RegExp(`:cluster/${builder.cluster}$`)),
        taskDefinitionArn: expect.stringMatching(new RegExp(`:task-definition/${builder.family}:\\d+$`)),
        capacityProviderName: 'FARGATE',
        startedBy: `${record.deploymentId}-frontend-1-0`,
        overrides: { containerOverrides: [{ name: builder.container }] },
      });
      const { environment = [] } = task.overrides!.containerOverrides![0]!;
      const { KAFKA_BROKERS, ...variables } = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
      expect(KAFKA_BROKERS).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(variables).toEqual({
        GIT_REPOSITORY__URL: record.gitUrl,
        CORRELATION_ID: expect.stringMatching(/^[\w-]{8,64}$/),
        GIT_BRANCH: 'main',
        GIT_COMMIT: record.commit,
        GIT_ALLOW_PROTOCOL: 'https:http:file',
        PROJECT_ID: 'react',
        DEPLOYMENTID: record.deploymentId,
        ATTEMPT: '1',
        NODE_VERSION: String(NODE),
        LANE: 'production',
        BUILD_CACHE: 'use',
        BUILD_TIMEOUT: '1800',
        AWS_REGION: 'ap-south-1',
        // Credentials, variables and keys are read there, and stand nowhere else.
        HANDOVER_URL: expect.stringContaining(`/__handover/react/${record.deploymentId}/frontend-`),
        KAFKA_SECURITY: 'plaintext',
        BUCKET: 'veren-v2',
        FRONTENDPATH: '.',
        INSTALLPATH: '.',
        INSTALLCOMMAND: 'npm ci',
        BUILDCOMMAND: 'npm run build',
        OUTPUT_DIR: 'dist',
        OUTPUT_NAMED: '0',
        PACKAGE_MANAGER: expect.stringMatching(/^npm/),
      });
      // What the task-watcher is told when it asks.
      expect(await world.stopped(task.taskArn!)).toMatchObject({
        stopCode: 'EssentialContainerExited',
        containers: [{ name: builder.container, exitCode: 0 }],
      });
    });

    it(
      'a builder that is killed without a word ends with its exit code',
      async () => {
        const { deploymentId } = await client.createDeployment({
          projectId: 'sleeper',
          gitUrl: await world.repository('static-page'),
          frontend: { nodeVersion: NODE, buildCommand: 'sleep 600', outputDirectory: '.' },
        });
        sleeper = await building(client, deploymentId, 1);
        // Once a second the runner looks which processes are a task's; what it has seen it also finds without their parent.
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        for (const builder of world.builders()) process.kill(builder, 'SIGKILL');
        expect(await world.stopped(sleeper.builds.frontend!.taskArn!)).toMatchObject({
          stopCode: 'EssentialContainerExited',
          containers: [{ exitCode: 137 }],
        });
      },
      MINUTE,
    );

    it(
      'a second deployment changes nothing',
      async () => {
        const diff = await world.checkout.cdklocal('diff', '--all', '--fail');
        expect(diff.output).toContain('Number of stacks with differences: 0');
        expect(diff.code).toBe(0);
        const before = await world.functions();
        const again = await world.checkout.deploy();
        expect(again.output.match(/\(no changes\)/g)).toHaveLength(5);
        expect(await world.functions()).toEqual(before);
      },
      4 * MINUTE,
    );

    it(
      'a change of one function updates that function only',
      async () => {
        const before = await world.functions();
        await world.checkout.edit('lambdas/websocket/handle.ts', (text) =>
          text.replace("code: 'INVALID_REQUEST'", "code: 'NOT_UNDERSTOOD'"),
        );
        await world.checkout.deploy();
        const after = await world.functions();
        expect(Object.keys(before).filter((name) => before[name] !== after[name])).toEqual(['veren-local-websocket']);
        expect(await firstMessage(outputs.WebSocketUrl!, world.token, '{}')).toMatchObject({ code: 'NOT_UNDERSTOOD' });
      },
      2 * MINUTE,
    );

    it(
      "a stack that the emulator cannot make fails with the emulator's reason",
      async () => {
        await world.checkout.edit('cdk.json', (text) => {
          const [before, local] = text.split('"local": {');
          return `${before}"local": {${local!.replace('"natGateways": 0', '"natGateways": 1')}`;
        });
        const { code, output } = await world.checkout.cdklocal('deploy', 'Network', '--require-approval', 'never');
        expect(code).toBe(1);
        expect(output).toMatch(/Unrecognized resource types: \[.*AWS::EC2::NatGateway.*\]/);
        expect(output).not.toMatch(OUR_TRACE);
        await world.checkout.edit('cdk.json', (text) =>
          text.replace(
            '"natGateways": 1,\n          "flowLogs": false',
            '"natGateways": 0,\n          "flowLogs": false',
          ),
        );
      },
      MINUTE,
    );

    it(
      'task-watcher has heard of it and has it built again; a cancel ends that',
      async () => {
        const { deploymentId } = sleeper;
        const again = await building(client, deploymentId, 2);
        await client.cancel(deploymentId);
        expect(await world.stopped(again.builds.frontend!.taskArn!)).toMatchObject({
          stopCode: 'UserInitiated',
          containers: [{ exitCode: expect.any(Number) }],
        });
        expect((await client.getDeployment(deploymentId)).status).toBe('canceled');
        expect(world.builders()).toEqual([]);
      },
      3 * MINUTE,
    );

    it(
      'is destroyed',
      async () => {
        expect(await world.checkout.cdklocal('destroy', '--all', '--force')).toMatchObject({ code: 0 });
        expect(await world.functions()).toEqual({});
      },
      MINUTE,
    );
  },
);

/** The record, once the build step of that attempt runs. */
async function building(client: VerenClient, deploymentId: string, attempt: number): Promise<DeploymentView> {
  for (;;) {
    const record = await client.getDeployment(deploymentId);
    if (isTerminal(record.status)) throw new Error(`it has ended: ${JSON.stringify(record.error)}`);
    const build = record.builds.frontend;
    if (build?.attempt === attempt && build.phases.some(({ name }) => name === 'build')) return record;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Everything that a subscriber is sent, up to the deployment's end. */
function followed(url: string, token: string, deploymentId: string): Promise<ServerMessage[]> {
  const messages: ServerMessage[] = [];
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
    socket.once('open', () => socket.send(JSON.stringify({ action: 'subscribe', deploymentId })));
    socket.once('error', reject);
    socket.on('message', (data) => {
      const message = ServerMessageSchema.parse(JSON.parse(String(data)));
      messages.push(message);
      if (message.type !== 'deployment' || !isTerminal(message.record.status)) return;
      socket.close();
      resolve(messages);
    });
  });
}

function firstMessage(url: string, token: string, sent: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
    socket.once('open', () => socket.send(sent));
    socket.once('error', reject);
    socket.once('message', (data) => {
      socket.close();
      resolve(JSON.parse(String(data)));
    });
  });
}
