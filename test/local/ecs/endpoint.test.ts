import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import { type CredentialStore, createCredentialStore, type KeyPair } from '../../../local/awsProtocol/credentials.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { type EcsEndpointOptions, startEcsEndpoint } from '../../../local/ecs/endpoint.ts';
import type { TaskStateChange } from '../../../local/ecs/view.ts';
import { definitions } from './definitions.fixture.ts';

let dataDir: string;
let credentials: CredentialStore;
let endpoint: Endpoint | undefined;
let ecs: ECSClient;
let events: TaskStateChange[];

const clientOf = (url: string, keys: KeyPair & { sessionToken?: string }) =>
  new ECSClient({ endpoint: url, region: 'ap-south-1', credentials: { ...keys }, maxAttempts: 1 });

async function start(options: Partial<EcsEndpointOptions> = {}) {
  events = [];
  credentials = await createCredentialStore({ dataDir });
  endpoint = await startEcsEndpoint({
    dataDir,
    credentials,
    taskDefinitions: definitions(),
    onTaskStateChange: (event) => events.push(event),
    onError: (error) => console.error(error),
    ...options,
  });
  ecs = clientOf(endpoint.url, credentials.root);
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-ecs-'));
});
afterEach(async () => {
  ecs?.destroy();
  await endpoint?.close();
  endpoint = undefined;
  await rm(dataDir, { recursive: true });
});

const request = (SCRIPT: string, more: Partial<RunTaskCommandInput> = {}): RunTaskCommandInput => ({
  cluster: 'builder',
  taskDefinition: 'shell',
  overrides: {
    containerOverrides: [
      {
        name: 'shell-container',
        environment: [
          { name: 'SCRIPT', value: SCRIPT },
          { name: 'BOTH', value: 'override' },
        ],
      },
    ],
  },
  ...more,
});
const run = async (script: string, more: Partial<RunTaskCommandInput> = {}): Promise<string> =>
  (await ecs.send(new RunTaskCommand(request(script, more)))).tasks![0]!.taskArn!;
const describeTask = async (arn: string, cluster = 'builder'): Promise<Task> =>
  (await ecs.send(new DescribeTasksCommand({ cluster, tasks: [arn] }))).tasks![0]!;
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (e: Error) => `${e.name}: ${e.message}`,
  );

async function until<T>(what: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + 25_000; Date.now() < deadline; ) {
    const found = await what();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`It did not happen: ${what}`);
}
const status = (arn: string, wanted: string, cluster?: string) =>
  until(async () => {
    const task = await describeTask(arn, cluster);
    return task.lastStatus === wanted && task;
  });
const statusesOf = (arn: string) => events.filter((e) => e.detail.taskArn === arn).map((e) => e.detail.lastStatus);
const logOf = (arn: string) => readFile(join(dataDir, 'ecs', `${arn.split('/').at(-1)}.log`), 'utf8');

/** Neither gone nor a zombie. */
const isAlive = async (pid: number) => {
  const { stdout } = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout.trim());
};
/** `setsid` is a program of Linux. */
const onLinux = process.platform === 'linux' ? test : test.skip;
const pidsIn = async (file: string) =>
  until(async () => {
    const pids = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number);
    return pids.length >= 2 && pids;
  });

describe('a task', () => {
  test('runs the entry point with the environment of image and overrides, and nothing else', async () => {
    process.env.PLATFORM_SECRET = 'must not be seen';
    await start();
    const arn = await run('node -p "JSON.stringify(process.env)"; pwd; echo out >&2; exit 3', {
      startedBy: 'd1-frontend-1-0',
      group: 'veren',
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT' }],
    });
    const task = await status(arn, 'STOPPED');
    const [env, cwd, err] = (await logOf(arn)).trim().split('\n');
    const { PWD: _pwd, SHLVL: _level, _: __, OLDPWD: ___, ...seen } = JSON.parse(env!);
    expect(Object.keys(seen).sort()).toEqual(['BOTH', 'FROM_IMAGE', 'PATH', 'SCRIPT']);
    expect([seen.BOTH, seen.FROM_IMAGE, cwd, err]).toEqual(['override', 'image', '/', 'out']);

    expect(task).toMatchObject({
      clusterArn: 'arn:aws:ecs:ap-south-1:000000000000:cluster/builder',
      taskDefinitionArn: 'arn:aws:ecs:ap-south-1:000000000000:task-definition/shell:1',
      startedBy: 'd1-frontend-1-0',
      group: 'veren',
      capacityProviderName: 'FARGATE_SPOT',
      desiredStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      containers: [{ name: 'shell-container', lastStatus: 'STOPPED', exitCode: 3 }],
    });
    expect(task.startedAt!.getTime()).toBeLessThanOrEqual(task.stoppedAt!.getTime());
    await until(() => statusesOf(arn).at(-1) === 'STOPPED');
    expect(statusesOf(arn)).toEqual(['PROVISIONING', 'PENDING', 'RUNNING', 'DEPROVISIONING', 'STOPPED']);
    const last = events.at(-1)!;
    expect(last).toMatchObject({ 'detail-type': 'ECS Task State Change', source: 'aws.ecs', resources: [arn] });
    expect(last.detail).toMatchObject({ version: 5, containers: [{ exitCode: 3 }], startedBy: 'd1-frontend-1-0' });
    expect(last.detail.stoppedAt).toBe(task.stoppedAt!.toISOString());
    const secrets = await readFile(join(dataDir, 'ecs', `${arn.split('/').at(-1)}.json`), 'utf8');
    expect(secrets).not.toContain('PLATFORM_SECRET'); // what overrides hold is not written to disk
  });

  test('that is killed by the kernel has exit code 137', async () => {
    await start();
    const task = await status(await run('kill -9 $$'), 'STOPPED');
    expect([task.containers![0]!.exitCode, task.stopCode]).toEqual([137, 'EssentialContainerExited']);
  });

  test('that cannot be pulled or started says why', async () => {
    await start();
    const unpullable = await run('', { taskDefinition: 'unpullable', overrides: {} });
    expect(await status(unpullable, 'STOPPED')).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'CannotPullContainerError: the registry is away',
    });
    const missing = await run('', { taskDefinition: 'missing:1', cluster: 'backend-builder', overrides: {} });
    const task = await status(missing, 'STOPPED', 'backend-builder');
    expect(task.stoppedReason).toMatch(/^CannotStartContainerError: .*ENOENT/);
    expect(task.containers![0]!.exitCode).toBeUndefined();
    expect(statusesOf(missing)).not.toContain('RUNNING');
  });

  test('keeps its output bounded', async () => {
    await start();
    const size = `$(cat ${join(dataDir, 'ecs')}/*.log | wc -c)`;
    const arn = await run(
      `head -c 6000000 /dev/zero | tr "\\0" x; while [ ${size} -gt 5000 ]; do sleep 0.1; done; echo last`,
    );
    await status(arn, 'STOPPED');
    const log = await logOf(arn);
    expect(log.length).toBeLessThan(1_000);
    expect(log).toContain('last');
  });
});

describe('stopping', () => {
  test('asks first: a task that heeds SIGTERM ends by its own exit code', async () => {
    await start();
    const arn = await run('trap "echo bye; exit 143" TERM; echo up; while :; do sleep 0.05; done');
    await until(async () => (await logOf(arn).catch(() => '')).includes('up'));
    await ecs.send(new StopTaskCommand({ cluster: 'builder', task: arn, reason: 'the deployment was canceled' }));
    expect(await status(arn, 'STOPPED')).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'the deployment was canceled',
      containers: [{ exitCode: 143 }],
    });
    expect(await logOf(arn)).toContain('bye');
    await ecs.send(new StopTaskCommand({ cluster: 'builder', task: arn, reason: 'again' }));
    expect((await describeTask(arn)).stoppedReason).toBe('the deployment was canceled');
  });

  onLinux('ends what does not heed, with all its children, in whatever session they hide', async () => {
    await start();
    const file = join(dataDir, 'pids');
    const stubborn = `trap "" TERM; echo $$ >> ${file}; while :; do sleep 0.05; done`;
    const arn = await run(`setsid sh -c '${stubborn}' & ${stubborn}`);
    const pids = await pidsIn(file);
    await ecs.send(new StopTaskCommand({ cluster: 'builder', task: arn }));
    const task = await status(arn, 'STOPPED');
    expect(task.containers![0]!.exitCode).toBe(137);
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
  });

  onLinux('daemons that a task leaves behind when it ends are killed', async () => {
    await start();
    const file = join(dataDir, 'pids');
    const loop = (command: string) => `${command} sh -c 'echo $$ >> ${file}; while :; do sleep 0.05; done' &`;
    // The second has left the group and lives long enough to be seen with its parent.
    const arn = await run(`${loop('')} ${loop('setsid')} sleep 2.5; exit 0`);
    const pids = await pidsIn(file);
    const task = await status(arn, 'STOPPED');
    expect(task.containers![0]!.exitCode).toBe(0);
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
  });

  test('a task that is still being pulled is not started any more', async () => {
    await start({ taskDefinitions: definitions({ environment: () => new Promise(() => undefined) }) });
    const arn = await run(`touch ${join(dataDir, 'started')}`);
    await status(arn, 'PENDING');
    await ecs.send(new StopTaskCommand({ cluster: 'builder', task: arn, reason: 'no' }));
    expect(await status(arn, 'STOPPED')).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'no' });
    expect(existsSync(join(dataDir, 'started'))).toBe(false);
  });
});

describe('calls', () => {
  test('one clientToken is one task, however often and however late it is sent', async () => {
    await start();
    const once = `echo x >> ${join(dataDir, 'runs')}`;
    const arns = await Promise.all(Array.from({ length: 10 }, () => run(once, { clientToken: 'd1-frontend-1-0' })));
    expect(new Set(arns).size).toBe(1);
    await status(arns[0]!, 'STOPPED');
    expect(await run(once, { clientToken: 'd1-frontend-1-0' })).toBe(arns[0]);
    const other = await run('true', { clientToken: 'd1-frontend-1-0' }).catch((e) => e);
    expect([other.name, other.resourceIds]).toEqual(['ConflictException', [arns[0]]]);
    await endpoint!.close();
    await start();
    expect(await run(once, { clientToken: 'd1-frontend-1-0' })).toBe(arns[0]);
    expect(await readFile(join(dataDir, 'runs'), 'utf8')).toBe('x\n');
  });

  test('what ECS refuses is refused', async () => {
    await start();
    const named = (name: string, value = '') => ({
      overrides: { containerOverrides: [{ name, environment: [{ name: 'V', value }] }] },
    });
    expect(await errorOf(run('', { cluster: 'other' }))).toMatch(/^ClusterNotFoundException/);
    expect(await errorOf(run('', { cluster: undefined }))).toMatch(/^ClusterNotFoundException/);
    expect(await errorOf(run('', { taskDefinition: 'other' }))).toMatch(/^ClientException/);
    expect(await errorOf(run('', { taskDefinition: 'shell:2' }))).toMatch(/^ClientException/);
    expect(await errorOf(run('', named('shell')))).toMatch(/^InvalidParameterException.*shell is not a container/);
    expect(await errorOf(run('', named('shell-container', 'x'.repeat(8_192))))).toMatch(
      /^InvalidParameterException.*8192/,
    );
    expect(await errorOf(run('', { clientToken: 'x'.repeat(65) }))).toMatch(/^InvalidParameterException/);
    const missing = new StopTaskCommand({ cluster: 'builder', task: 'f'.repeat(32) });
    expect(await errorOf(ecs.send(missing))).toMatch(/^InvalidParameterException: The referenced task was not found/);
    const described = await ecs.send(new DescribeTasksCommand({ cluster: 'builder', tasks: ['f'.repeat(32)] }));
    expect(described.failures).toEqual([
      { arn: `arn:aws:ecs:ap-south-1:000000000000:task/builder/${'f'.repeat(32)}`, reason: 'MISSING' },
    ]);
    expect(events).toEqual([]);
  });

  test('only the platform may call', async () => {
    await start();
    const { root } = credentials;
    const call = (keys: Parameters<typeof clientOf>[1]) => {
      const client = clientOf(endpoint!.url, keys);
      return errorOf(client.send(new ListTasksCommand({ cluster: 'builder' }))).finally(() => client.destroy());
    };
    expect(await call({ ...root, secretAccessKey: 'wrong' })).toMatch(/^InvalidSignatureException/);
    expect(await call({ ...root, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' })).toMatch(/^UnrecognizedClientException/);
    const { accessKeyId, secretAccessKey, session } = credentials.mint({
      arn: 'arn:aws:sts::000000000000:assumed-role/build/d1',
      durationSeconds: 900,
      policy: { Statement: [{ Effect: 'Allow', Action: ['s3:*'], Resource: ['*'] }] },
    });
    expect(await call({ accessKeyId, secretAccessKey, sessionToken: session.token })).toMatch(/^AccessDeniedException/);
    expect((await fetch(endpoint!.url, { method: 'POST', body: '{}' })).status).toBe(400);
  });

  test('ListTasks filters and pages', async () => {
    await start();
    const done = await run('true', { startedBy: 'a' });
    await status(done, 'STOPPED');
    const live = await Promise.all(['a', 'a', 'b'].map((startedBy) => run('sleep 60', { startedBy })));
    const list = async (more: object) =>
      (await ecs.send(new ListTasksCommand({ cluster: 'builder', ...more }))).taskArns!.sort();
    expect(await list({})).toEqual([...live].sort());
    expect(await list({ startedBy: 'a' })).toEqual(live.slice(0, 2).sort());
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([done]);
    expect(await list({ family: 'missing' })).toEqual([]);
    const first = await ecs.send(new ListTasksCommand({ cluster: 'builder', maxResults: 2 }));
    const second = await list({ maxResults: 2, nextToken: first.nextToken });
    expect([...first.taskArns!, ...second].sort()).toEqual([...live].sort());
  });

  test('faults are as ECS makes them', async () => {
    const failures = [{ arn: 'arn:x', reason: 'Capacity is unavailable at this time. Please try again later' }];
    const faults = ['error500', 'throttle', { failures }, 'timeout-after-start'] as const;
    await start({ fault: (operation, n) => (operation === 'RunTask' ? faults[n - 1] : undefined) });
    const attempt = () => run('true', { clientToken: 't' });
    expect(await errorOf(attempt())).toMatch(/^ServerException/);
    expect(await errorOf(attempt())).toMatch(/^ThrottlingException/);
    expect((await ecs.send(new RunTaskCommand(request('true')))).failures).toEqual(failures);
    expect(await errorOf(attempt())).not.toBe('no error');
    const started = await ecs.send(new ListTasksCommand({ cluster: 'builder', desiredStatus: 'STOPPED' }));
    const running = await ecs.send(new ListTasksCommand({ cluster: 'builder' }));
    const arns = [...started.taskArns!, ...running.taskArns!];
    expect(arns).toHaveLength(1);
    expect(await attempt()).toBe(arns[0]);
  });
});

describe('another life', () => {
  let platform: ChildProcess | undefined;
  afterEach(() => platform?.kill('SIGKILL'));

  async function life(): Promise<{ child: ChildProcess; url: string; root: KeyPair }> {
    const child = spawn('node', ['--import', 'tsx', join(__dirname, 'platform.fixture.ts'), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    });
    platform = child;
    const first = await new Promise<string>((resolve) => child.stdout.once('data', (d) => resolve(String(d))));
    return { child, ...JSON.parse(first) };
  }

  onLinux(
    'after kill -9 the processes are ended, the tasks stopped without exit code, and the events told',
    async () => {
      const { child, url, root } = await life();
      ecs = clientOf(url, root);
      const file = join(dataDir, 'pids');
      const loop = `echo $$ >> ${file}; while :; do sleep 0.05; done`;
      const arn = await run(`setsid sh -c '${loop}' & ${loop}`, { clientToken: 'kept' });
      // Its first process ends when the platform has gone; what that started in its group does not.
      const orphans = join(dataDir, 'orphans');
      const gone = join(dataDir, 'gone');
      const follower = `echo $$ >> ${orphans}; while :; do sleep 0.05; done`;
      const leader = `echo $$ >> ${orphans}; while [ ! -e ${gone} ]; do sleep 0.05; done; kill -9 $$`;
      const orphaned = await run(`sh -c '${follower}' & ${leader}`, { clientToken: 'orphan' });
      await status(arn, 'RUNNING');
      await status(orphaned, 'RUNNING');
      const pids = [...(await pidsIn(file)), ...(await pidsIn(orphans))];
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      for (const pid of pids) expect(await isAlive(pid)).toBe(true);
      await writeFile(gone, '');
      await until(async () => (await Promise.all(pids.map(isAlive))).filter(Boolean).length === pids.length - 1);

      // A process that has the number of one of theirs by now, and is not theirs.
      const innocent = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      const id = 'e'.repeat(32);
      const record = JSON.parse(await readFile(join(dataDir, 'ecs', `${arn.split('/').at(-1)}.json`), 'utf8'));
      const stale = { ...record, id, request: { fingerprint: '' }, process: { ...record.process, pid: innocent.pid } };
      await writeFile(join(dataDir, 'ecs', `${id}.json`), JSON.stringify(stale));

      await start();
      for (const pid of pids) expect(await isAlive(pid)).toBe(false);
      expect(await isAlive(innocent.pid!)).toBe(true);
      innocent.kill('SIGKILL');
      const task = await describeTask(arn);
      expect(task).toMatchObject({
        lastStatus: 'STOPPED',
        stoppedReason: 'The platform crashed while the task was running.',
      });
      expect(task.containers![0]!.exitCode).toBeUndefined();
      expect(statusesOf(arn)).toEqual(['STOPPED']);
      const again = await run(`setsid sh -c '${loop}' & ${loop}`, { clientToken: 'kept' });
      expect(again).toBe(arn);
    },
  );

  onLinux('closing ends what runs, and says that the platform did it', async () => {
    await start();
    const file = join(dataDir, 'pids');
    const loop = `trap "" TERM; echo $$ >> ${file}; while :; do sleep 0.05; done`;
    const arn = await run(`setsid sh -c '${loop}' & ${loop}`);
    const pids = await pidsIn(file);
    await endpoint!.close();
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
    await start();
    const task = await describeTask(arn);
    expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TerminationNotice' });
    expect(task.containers![0]!.exitCode).toBeUndefined();
  });
});
