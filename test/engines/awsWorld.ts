import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { DescribeTasksCommand, ECSClient, type Task } from '@aws-sdk/client-ecs';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VerenClient } from '../../cli/client/VerenClient.ts';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { overriddenStages } from '../support/devOverrides.ts';
import { type GitServer, startGitServer } from '../support/gitServer.ts';
import { exampleRepository, ROOT, temporaryFolder } from '../support/veren.ts';
import { type ExplainedCall, explainCalls, listCalls } from './awsCalls.ts';
import { type DeniedCall, listDenials, readDenials } from './awsDenials.ts';
import { deployedResources, deployedStacks } from './awsResources.ts';

const run = promisify(execFile);

/** Folder of the running world: `npm run test:aws` makes one, and sets AWS's usual variables. */
const WORLD = process.env.VEREN_AWS;
export const awsMissing = WORLD ? null : 'no VEREN_AWS: `npm run test:aws` starts an engine and an emulator';

/** What `cdk` needs of the repository. */
const SOURCES = [
  ...['bin', 'lib', 'lambdas', 'contract', 'builder-images', 'dashboard'],
  ...['package.json', 'tsconfig.json'],
];

/** A checkout, a git host on the internet, and AWS: what who deploys stage `dev` has. */
export class AwsWorld {
  readonly token = randomBytes(24).toString('hex');
  readonly #dir: string;
  readonly #repos: string;
  readonly #git: GitServer;
  readonly #remove: () => Promise<void>;

  static async start(): Promise<AwsWorld> {
    const { path: dir, remove } = await temporaryFolder();
    const repos = join(dir, 'repos');
    await mkdir(repos);
    const git = await startGitServer({ repos });
    // The front of AWS's names ends TLS for the git host, too.
    await writeFile(join(WORLD!, 'git.port'), new URL(git.url).port);
    for (const source of SOURCES) await cp(join(ROOT, source), join(dir, source), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    const world = new AwsWorld(dir, repos, git, remove);
    await world.configure(() => {});
    return world;
  }

  private constructor(dir: string, repos: string, git: GitServer, remove: () => Promise<void>) {
    this.#dir = dir;
    this.#repos = repos;
    this.#git = git;
    this.#remove = remove;
  }

  async close(): Promise<void> {
    await this.#git.close();
    await this.#remove();
  }

  /** cdk.json as in the repository, with the emulator's overrides and a change of stage dev. */
  // biome-ignore lint/suspicious/noExplicitAny: any setting of the stage
  async configure(change: (dev: any) => void): Promise<void> {
    const settings = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8'));
    settings.context.stages = overriddenStages(settings.context.stages);
    change(settings.context.stages.dev);
    await writeFile(join(this.#dir, 'cdk.json'), JSON.stringify(settings, null, 2));
  }

  /** A file of the checkout, changed: what the next version is deployed from. */
  async append(path: string, text: string): Promise<void> {
    await appendFile(join(this.#dir, path), text);
  }

  async replace(path: string, before: string, after: string): Promise<void> {
    const text = await readFile(join(this.#dir, path), 'utf8');
    if (!text.includes(before)) throw new Error(`${path} has no "${before}"`);
    await writeFile(join(this.#dir, path), text.replace(before, after));
  }

  /** The checkout and its settings as they were. */
  async restore(): Promise<void> {
    for (const source of SOURCES) await cp(join(ROOT, source), join(this.#dir, source), { recursive: true });
    await this.configure(() => {});
  }

  /** `npx cdk …`, as against AWS. */
  async cdk(...args: string[]): Promise<{ code: number; output: string }> {
    const child = spawn(join(this.#dir, 'node_modules/.bin/cdk'), [...args, '-c', 'stage=dev'], {
      cwd: this.#dir,
      env: {
        ...process.env,
        HOME: this.#dir,
        CDK_HOME: this.#dir,
        CI: 'true',
        // Its sender is a process of its own, which outlives the command where there is no internet.
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    return { code, output };
  }

  /** Deploys every stack; gives the outputs of the pipeline's. */
  async deploy(): Promise<Record<string, string>> {
    const file = join(this.#dir, 'outputs.json');
    const ran = await this.cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', file);
    if (ran.code !== 0) throw new Error(`cdk deploy ended with ${ran.code}:\n${ran.output.slice(-4_000)}`);
    return JSON.parse(await readFile(file, 'utf8'))['veren-dev-pipeline'];
  }

  /** Takes the protection against deletion off, which who deletes the stage has to do first, and destroys it. */
  async destroy(): Promise<void> {
    const client = new CloudFormationClient({});
    for (const StackName of await deployedStacks())
      await client.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }));
    const ran = await this.cdk('destroy', '--all', '--force');
    if (ran.code !== 0) throw new Error(`cdk destroy ended with ${ran.code}:\n${ran.output.slice(-4_000)}`);
  }

  /**
   * What there is of the stage. Containers of deleted functions are none of it: the emulator keeps them until they have been
   * idle for a while.
   */
  async leftovers(): Promise<string[]> {
    const running = ['kafka', 'elasticache', 'ecs-task', 'codebuild'].map(async (kind) =>
      (await this.containers(`fakecloud-${kind}`)).map((id) => `${kind} ${id}`),
    );
    return (await Promise.all([...running, deployedResources()])).flat();
  }

  /** Who has called what, and which statement allows it. Kept with what was denied beside the run's caches. */
  async calls(): Promise<ExplainedCall[]> {
    const calls = await explainCalls(join(WORLD!, 'calls.ndjson'));
    const text = listCalls(calls) + listDenials(await this.denials());
    await writeFile(process.env.VEREN_AWS_CALLS ?? join(WORLD!, 'calls.txt'), text);
    return calls;
  }

  /** What the emulator's IAM has denied so far, or would deny where it only says so. */
  denials(): Promise<DeniedCall[]> {
    return readDenials(join(WORLD!, 'emulator.log'));
  }

  /** Makes the token known, as docs/deploy.md does it; gives a client of the deployed API. */
  async client(apiUrl: string): Promise<VerenClient> {
    const hash = createHash('sha256').update(this.token).digest('hex');
    const SecretString = JSON.stringify({ alice: [hash] });
    await new SecretsManagerClient({}).send(new PutSecretValueCommand({ SecretId: 'veren/dev/tokens', SecretString }));
    return new VerenClient({ baseUrl: apiUrl, token: this.token });
  }

  /** One of the examples on the git host; its URL. */
  async repository(example: string): Promise<string> {
    if (!existsSync(join(this.#repos, example))) await exampleRepository(example, this.#repos);
    return `https://git.example.com/${example}`;
  }

  /** A repository of these files on the git host; its URL. */
  async repositoryOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const source = join(this.#dir, `source-${name}`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(source, path)), { recursive: true });
      await writeFile(join(source, path), text);
    }
    await makeRepositoryFromFolder(source, join(this.#repos, name));
    return `https://git.example.com/${name}`;
  }

  /** A task, once ECS says that it has stopped. */
  async stopped(arn: string): Promise<Task> {
    const ecs = new ECSClient({});
    for (;;) {
      const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: arn.split('/').at(-2), tasks: [arn] }));
      if (tasks![0]!.lastStatus === 'STOPPED') return tasks![0]!;
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }

  /** The engine's command line; its output. */
  async docker(...args: string[]): Promise<string> {
    return (await run('/usr/bin/docker', args)).stdout.trim();
  }

  /** Pulls an image from ECR, as who has the right to. */
  async pull(image: string): Promise<void> {
    const { authorizationData } = await new ECRClient({}).send(new GetAuthorizationTokenCommand({}));
    const [user, password] = Buffer.from(authorizationData![0]!.authorizationToken!, 'base64').toString().split(':');
    await this.docker('login', '--username', user!, '--password', password!, image.split('/')[0]!);
    await this.docker('pull', '--quiet', image);
  }

  /** Containers of the emulator that have all these labels. */
  async containers(...labels: string[]): Promise<string[]> {
    const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
    return (await this.docker('ps', '--quiet', ...filters)).split('\n').filter(Boolean);
  }
}
