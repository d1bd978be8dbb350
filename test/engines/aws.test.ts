import type { Task } from '@aws-sdk/client-ecs';
import { WebSocket } from 'ws';
import type { FollowedEvents } from '../../cli/client/followEvents.ts';
import type { VerenClient } from '../../cli/client/VerenClient.ts';
import type { DeploymentView } from '../../contract/api.ts';
import { builderFor } from '../../contract/builders.ts';
import { isTerminal } from '../../contract/record.ts';
import { type ServerMessage, ServerMessageSchema } from '../../contract/websocket.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { callWithoutRight, callWithWrongSignature } from './awsDenials.ts';
import { startOnLambda } from './awsServices.ts';
import { AwsWorld, awsMissing } from './awsWorld.ts';

const MINUTE = 60_000;
const NODE = 20;
const nextFiles = {
  'package.json': JSON.stringify({
    private: true,
    scripts: { build: 'next build', start: 'next start' },
    dependencies: { next: '15.5.29', react: '19.3.1', 'react-dom': '19.3.1' },
  }),
  'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;\n',
  'app/page.js': `import { headers } from 'next/headers';
export default async () => <h1>{'asked by ' + (await headers()).get('x-visitor')}</h1>;
`,
  'app/api/sum/route.js':
    "export const GET = (q) => Response.json({ sum: new URL(q.url).searchParams.getAll('n').map(Number).reduce((a, b) => a + b, 0) });\n",
  'public/robots.txt': 'User-agent: *\n',
};

/** Stage `dev` in containers, used through its addresses only. The tests follow each other. */
describeWith(tooSlow ?? awsMissing, 'stage dev in containers', () => {
  let world: AwsWorld;
  let outputs: Record<string, string>;
  let client: VerenClient;
  let record: DeploymentView;

  beforeAll(async () => {
    world = await AwsWorld.start();
  }, MINUTE);
  afterAll(() => world?.close(), MINUTE);

  it(
    'is bootstrapped and deployed by cdk, its builder images by CodeBuild',
    async () => {
      expect(await world.cdk('bootstrap')).toMatchObject({ code: 0 });
      outputs = await world.deploy();
      client = await world.client(outputs.ApiUrl!);
      expect((await fetch(`${outputs.ApiUrl}/healthz`)).status).toBe(200);
      expect((await fetch(`${outputs.ApiUrl}/deployments`)).status).toBe(401);
    },
    25 * MINUTE,
  );

  it(
    'deploys the React example from a public git host; its log and its record are followed',
    async () => {
      const gitUrl = await world.repository('react-vite');
      const { deploymentId } = await client.createDeployment({
        projectId: 'react',
        gitUrl,
        frontend: { nodeVersion: NODE },
      });
      const { ticket } = await client.createTicket();
      const socket = new Subscription(`${outputs.WebSocketUrl}?ticket=${ticket}`, deploymentId);
      const followed: FollowedEvents[] = [];
      for await (const event of client.followLogs(deploymentId)) followed.push(event);
      expect(followed.at(-1)).toEqual({ type: 'end', status: 'succeeded' });
      const lines = followed.flatMap((event) => (event.type === 'log' ? [event.line.line] : []));
      expect(lines.join('\n')).toContain('vite');
      const read: string[] = [];
      for await (const { line } of client.readLogs(deploymentId)) read.push(line);
      expect(read).toEqual(lines);
      expect(await socket.untilEnded()).toEqual(expect.arrayContaining(['snapshot', 'building', 'succeeded']));
      record = await client.getDeployment(deploymentId);
      expect(record).toMatchObject({ status: 'succeeded', builds: { frontend: { status: 'succeeded', attempt: 1 } } });
    },
    8 * MINUTE,
  );

  it(
    'shows its page through CloudFront, by the route that the releaser has written',
    async () => {
      const { artifact } = record.builds.frontend!;
      if (artifact?.kind !== 'static') throw new Error('no site');
      const page = await served(artifact.url);
      const html = await page.text();
      expect(html).toContain('<title>React on Veren</title>');
      const [, script] = /<script[^>]* src="([^"]+)"/.exec(html)!;
      // Of a page under /project/ that asks for /assets/x.
      const asked = await fetch(new URL(script!, artifact.url), {
        headers: { referer: artifact.url, 'sec-fetch-dest': 'script' },
      });
      expect([asked.status, asked.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
      expect((await fetch(new URL('no-such-page.txt', artifact.url))).status).toBe(404);
      expect((await fetch(new URL('_redirects', artifact.url))).status).toBe(404);
      // Of this deployment alone; what is no production's is not for search engines.
      const own = await served(artifact.deploymentUrl!);
      expect(await own.text()).toBe(html);
      expect(own.headers.get('x-robots-tag')).toBe('noindex');
    },
    3 * MINUTE,
  );

  it(
    'ran it as a task of ECS, from the image in ECR',
    async () => {
      const builder = builderFor('frontend', NODE);
      expect(await world.stopped(record.builds.frontend!.taskArn!)).toMatchObject({
        taskDefinitionArn: expect.stringMatching(new RegExp(`:task-definition/${builder.family}:\\d+$`)),
        stopCode: 'EssentialContainerExited',
        containers: [
          {
            name: builder.container,
            exitCode: 0,
            image: expect.stringMatching(new RegExp(`\\.dkr\\.ecr\\.[\\w-]+\\.amazonaws\\.com/${builder.repository}:`)),
          },
        ],
      });
    },
    3 * MINUTE,
  );

  it(
    'builds the backend example with Kaniko; its image is pulled from ECR and answers, and runs as a Lambda function',
    async () => {
      const gitUrl = await world.repository('express-npm');
      const { deploymentId } = await client.createDeployment({ projectId: 'express', gitUrl });
      const done = await ended(client, deploymentId);
      expect(done.error).toBeUndefined();
      const { artifact } = done.builds.backend!;
      const image = artifact?.kind === 'image' ? artifact.uri : '';
      await world.pull(image);
      const container = await world.docker(
        'run',
        '--detach',
        '--publish',
        '127.0.0.1:18080:3000',
        '--env',
        'PORT=3000',
        image,
      );
      try {
        expect(await answering('http://127.0.0.1:18080/')).toBe(200);
      } finally {
        await world.docker('rm', '--force', container);
      }
      const service = await startOnLambda(done);
      const answer = await service.ask('/healthz');
      expect([answer.status, await answer.text()]).toEqual([200, '{"ok":true}']);
      expect((await service.askWithoutSecret('/healthz')).status).toBe(403);
      await service.remove();
    },
    15 * MINUTE,
  );

  it(
    'builds a Next.js site that is rendered on a server, which runs as a Lambda function',
    async () => {
      const { deploymentId } = await client.createDeployment({
        projectId: 'next',
        gitUrl: await world.repositoryOf('next', nextFiles),
      });
      const done = await ended(client, deploymentId);
      expect(done.error).toBeUndefined();
      const service = await startOnLambda(done);
      const textOf = async (...asked: Parameters<typeof service.ask>) => (await service.ask(...asked)).text();
      expect(await textOf('/', { 'x-visitor': 'Ada' })).toContain('asked by Ada');
      expect(await textOf('/api/sum?n=2&n=3')).toBe('{"sum":5}');
      expect(await textOf('/robots.txt')).toBe('User-agent: *\n');
      expect((await service.askWithoutSecret('/')).status).toBe(403);
      await service.remove();
    },
    15 * MINUTE,
  );

  it(
    'builds again what was killed, ends what is canceled, and deploys after it',
    async () => {
      const { deploymentId } = await client.createDeployment({
        projectId: 'sleeper',
        gitUrl: await world.repository('static-page'),
        frontend: { nodeVersion: NODE, buildCommand: 'sleep 600', outputDirectory: '.' },
      });
      const first = await building(client, deploymentId, 1);
      const task = first.builds.frontend!.taskArn!;
      const [container] = await world.containers(`fakecloud-ecs-task=${task.split('/').at(-1)}`);
      await world.docker('kill', container!);
      expect(await world.stopped(task)).toMatchObject({ containers: [{ exitCode: 137 }] });
      const again = await building(client, deploymentId, 2);
      await client.cancel(deploymentId);
      expect(await world.stopped(again.builds.frontend!.taskArn!)).toMatchObject({
        containers: [{ exitCode: 143 }],
      });
      expect((await ended(client, deploymentId)).status).toBe('canceled');
      const after = await client.createDeployment({
        projectId: 'sleeper',
        gitUrl: await world.repository('static-page'),
        frontend: { nodeVersion: NODE },
      });
      expect((await ended(client, after.deploymentId)).status).toBe('succeeded');
    },
    10 * MINUTE,
  );

  it(
    'is updated: sizes and image of builders, code of functions, brokers; and goes back',
    async () => {
      const [before] = (await world.stopped(record.builds.frontend!.taskArn!)).containers!;
      await world.configure((dev) => {
        dev.builders.frontend.memoryMiB = 8_192;
        dev.kafka.brokers = 4;
      });
      await world.append('builder-images/builder-image-frontend/main.sh', '# The next version.\n');
      await world.replace('lambdas/api/app.ts', 'From a git URL', 'From any git URL');
      await world.deploy();
      expect(await (await fetch(`${outputs.ApiUrl}/openapi.json`)).text()).toContain('From any git URL');
      const next = await deployedPage(client, world, 'next');
      expect(next.memory).toBe('8192');
      expect(next.containers![0]!.image).not.toBe(before!.image);

      await world.restore();
      await world.deploy();
      expect(await (await fetch(`${outputs.ApiUrl}/openapi.json`)).text()).toContain('From a git URL');
      const back = await deployedPage(client, world, 'back');
      expect([back.memory, back.containers![0]!.image]).toEqual(['4096', before!.image]);
    },
    25 * MINUTE,
  );

  it('has called nothing that its templates do not allow, and nothing that the IAM of the emulator denies', async () => {
    const { principal, error } = await callWithoutRight();
    expect(`${error}`).toMatch(process.env.FAKECLOUD_IAM === 'strict' ? /^AccessDenied/ : /^undefined$/);
    const isVerified = process.env.FAKECLOUD_VERIFY_SIGV4 === 'true';
    expect(await callWithWrongSignature()).toBe(isVerified ? 'SignatureDoesNotMatch' : undefined);
    const calls = await world.calls();
    expect(calls.length).toBeGreaterThan(20);
    expect(calls.filter(({ statement }) => statement === null)).toEqual([]);
    expect(await world.denials()).toEqual([expect.objectContaining({ action: 's3:DeleteObject', principal })]);
  });

  it(
    'is destroyed; nothing is left over, and it is deployed again under the same names',
    async () => {
      await world.destroy();
      expect(await world.leftovers()).toEqual([]);
      outputs = await world.deploy();
      client = await world.client(outputs.ApiUrl!);
      expect(await deployedPage(client, world, 'again')).toMatchObject({ lastStatus: 'STOPPED' });
      await world.destroy();
      expect(await world.leftovers()).toEqual([]);
      expect(await world.denials()).toHaveLength(1); // the call that had no right
    },
    30 * MINUTE,
  );
});

/** The task of a small page that was deployed. */
async function deployedPage(client: VerenClient, world: AwsWorld, projectId: string): Promise<Task> {
  const gitUrl = await world.repository('static-page');
  const { deploymentId } = await client.createDeployment({
    projectId, // of its own: what a project has built already is not built again
    gitUrl,
    frontend: { nodeVersion: NODE },
  });
  const done = await ended(client, deploymentId);
  expect(done.error).toBeUndefined();
  return world.stopped(done.builds.frontend!.taskArn!);
}

/** The first answer of a site that is no error: a route is there a moment after the deployment's end. */
async function served(url: string): Promise<Response> {
  for (const until = Date.now() + MINUTE; ; ) {
    const answer = await fetch(url);
    if (answer.ok || Date.now() > until) {
      expect(`${answer.status} ${url}`).toBe(`200 ${url}`);
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** What the WebSocket API tells of one deployment. */
class Subscription {
  readonly #told: string[] = [];
  readonly #socket: WebSocket;

  constructor(url: string, deploymentId: string) {
    this.#socket = new WebSocket(url);
    this.#socket.on('open', () => this.#socket.send(JSON.stringify({ action: 'subscribe', deploymentId })));
    this.#socket.on('message', (text) => this.#take(ServerMessageSchema.parse(JSON.parse(String(text)))));
    this.#socket.on('error', (e) => this.#told.push(e.message));
  }

  #take(message: ServerMessage): void {
    this.#told.push(message.type === 'deployment' ? message.record.status : message.type);
  }

  /** Types of messages, and statuses in the place of `deployment`; what has come within a minute. */
  async untilEnded(): Promise<string[]> {
    for (const until = Date.now() + MINUTE; Date.now() < until && !this.#told.includes('succeeded'); )
      await new Promise((resolve) => setTimeout(resolve, 500));
    this.#socket.close();
    return this.#told;
  }
}

async function ended(client: VerenClient, deploymentId: string): Promise<DeploymentView> {
  for (;;) {
    const record = await client.getDeployment(deploymentId);
    if (isTerminal(record.status)) return record;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

/** The record, once the build step of that attempt runs. */
async function building(client: VerenClient, deploymentId: string, attempt: number): Promise<DeploymentView> {
  for (;;) {
    const record = await client.getDeployment(deploymentId);
    if (isTerminal(record.status)) throw new Error(`it has ended: ${JSON.stringify(record.error)}`);
    const build = record.builds.frontend;
    if (build?.attempt === attempt && build.phases.some(({ name }) => name === 'build')) return record;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** The status of the first answer. */
async function answering(url: string): Promise<number> {
  for (const until = Date.now() + 30_000; ; ) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status !== 0 || Date.now() > until) return status;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
