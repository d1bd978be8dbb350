import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, StopTaskCommand, type Task } from '@aws-sdk/client-ecs';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { nameOf } from '../../../local/ecs/arns.ts';
import { Runner } from '../../../local/ecs/runner.ts';
import { TaskStore } from '../../../local/ecs/taskStore.ts';
import type { TaskStateChange } from '../../../local/ecs/view.ts';
import { startEcsProxy } from '../../../local/emulator/ecsProxy.ts';
import { TaskBridge } from '../../../local/emulator/taskBridge.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { definitions } from '../ecs/definitions.fixture.ts';
import { emulatedEcs } from './emulatedEcs.fixture.ts';

const clock = { now: Date.now };
let emulator: Awaited<ReturnType<typeof emulatedEcs>>;
let dataDir: string;
let delivered: TaskStateChange[];
let logged: string[];
/** Made to fail by tests. */
let deliver: (change: TaskStateChange) => Promise<void>;
let bridge: TaskBridge;
let store: TaskStore;
let runner: Runner;
let proxy: Endpoint;
let client: ECSClient;

const sdk = { region: 'ap-south-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 };

async function startBridge() {
  store = await TaskStore.open(join(dataDir, 'ecs'), clock, fail);
  runner = new Runner({
    store,
    clock,
    onError: () => undefined, // what is not delivered is told again
    onTaskStateChange: (change) => bridge.tell(change),
  });
  bridge = new TaskBridge({
    ecs: new ECSClient({ ...sdk, endpoint: emulator.url }),
    store,
    runner,
    definitions: definitions(),
    deliver: (change) => deliver(change),
    log: (message) => logged.push(message),
    onError: (e) => logged.push((e as Error).message),
  });
  await runner.recover();
  proxy = await startEcsProxy({ upstream: emulator.url, port: 0, store });
  client = new ECSClient({ ...sdk, endpoint: proxy.url });
}
const fail = (e: unknown) => {
  throw e;
};

async function stopBridge() {
  await runner.close();
  await proxy.close();
}

beforeEach(async () => {
  dataDir = temporaryFolder();
  emulator = await emulatedEcs();
  [delivered, logged] = [[], []];
  deliver = async (change) => void delivered.push(change);
  await startBridge();
});
afterEach(async () => {
  await stopBridge();
  await emulator.close();
  removeFolders();
});

async function seen(arn: string): Promise<Task> {
  const { tasks } = await client.send(new DescribeTasksCommand({ cluster: 'builder', tasks: [arn] }));
  return tasks![0]!;
}
async function lookUntil(done: () => boolean | Promise<boolean>) {
  for (const until = Date.now() + 25_000; ; ) {
    await bridge.look();
    if (await done()) return;
    if (Date.now() > until) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const endsOf = (arn: string) =>
  delivered.filter(({ detail }) => detail.taskArn === arn && detail.lastStatus === 'STOPPED');
const running = (arn: string) => async () => (await seen(arn)).lastStatus === 'RUNNING';
const output = (arn: string) => readFile(join(dataDir, 'ecs', `${nameOf(arn)}.log`), 'utf8');

it('runs what the emulator recorded, and tells its end to rules, functions and the emulator', async () => {
  const arn = emulator.runTask('echo "$FROM_IMAGE of $SCRIPT"; exit 7');
  await lookUntil(() => endsOf(arn).length > 0);
  expect(await output(arn)).toMatch(/^image of echo/);
  expect(endsOf(arn)[0]).toMatchObject({
    source: 'aws.ecs',
    'detail-type': 'ECS Task State Change',
    detail: { startedBy: 'token', stopCode: 'EssentialContainerExited', containers: [{ exitCode: 7 }] },
  });
  await lookUntil(() => emulator.tasks[0]?.desiredStatus === 'STOPPED');
  expect(await seen(arn)).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ name: 'shell-container', exitCode: 7 }],
  });
});

it('says nothing of an end before there is one', async () => {
  const arn = emulator.runTask('sleep 30');
  await lookUntil(running(arn));
  const task = await seen(arn);
  expect(task.stoppedAt).toBeUndefined();
  expect(task.containers?.[0]?.exitCode).toBeUndefined();
});

it.each([
  ['that obeys SIGTERM', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done', 5],
  ['that does not, by SIGKILL', 'trap "" TERM; echo ready; while :; do sleep 0.05; done', 137],
])('StopTask ends a task %s', async (_, script, exitCode) => {
  const arn = emulator.runTask(script);
  await lookUntil(async () => (await output(arn).catch(() => '')).includes('ready'));
  await client.send(new StopTaskCommand({ cluster: 'builder', task: arn, reason: 'veren: timeout' }));
  expect(await seen(arn)).toMatchObject({ desiredStatus: 'STOPPED', lastStatus: 'RUNNING' });
  await lookUntil(() => endsOf(arn).length > 0);
  expect(await seen(arn)).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'UserInitiated',
    stoppedReason: 'veren: timeout',
    containers: [{ exitCode }],
  });
});

it('a task that was stopped before it was seen runs nothing, and its end is told', async () => {
  const arn = emulator.runTask(`touch ${join(dataDir, 'it-ran')}`);
  await client.send(new StopTaskCommand({ cluster: 'builder', task: arn, reason: 'canceled' }));
  await lookUntil(() => endsOf(arn).length > 0);
  expect(endsOf(arn)[0]?.detail).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'canceled' });
  await expect(readFile(join(dataDir, 'it-ran'))).rejects.toThrow('ENOENT');
});

it('an end that could not be told is told again, and the emulator hears of it last', async () => {
  let away = true;
  const arn = emulator.runTask('exit 1');
  const other = emulator.runTask('exit 0');
  deliver = async (change) => {
    if (change.detail.taskArn === arn && away) throw new Error('the function is away');
    delivered.push(change);
  };
  await lookUntil(async () => (await seen(arn)).lastStatus === 'STOPPED' && endsOf(other).length > 0);
  await bridge.look();
  expect(emulator.tasks[0]?.desiredStatus).toBe('RUNNING');
  away = false;
  await lookUntil(() => emulator.tasks[0]?.desiredStatus === 'STOPPED');
  expect(endsOf(arn).length).toBeGreaterThan(0);
});

it('a bridge that was ended tells of its tasks when it is back, and starts none of them again', async () => {
  const arn = emulator.runTask(`echo started >>${join(dataDir, 'starts')}; sleep 30`);
  await lookUntil(running(arn));
  // It is running as soon as its process is there, which may not have come to its first command.
  await lookUntil(() => existsSync(join(dataDir, 'starts')));
  deliver = async () => {
    throw new Error('the emulator is away');
  };
  await stopBridge();
  deliver = async (change) => void delivered.push(change);
  await startBridge();
  await lookUntil(() => emulator.tasks[0]?.desiredStatus === 'STOPPED');
  expect(endsOf(arn)[0]?.detail).toMatchObject({ stopCode: 'TerminationNotice' });
  expect(await readFile(join(dataDir, 'starts'), 'utf8')).toBe('started\n');
});

it('what cannot be run here is said once, and is in the way of nothing', async () => {
  emulator.runTask('exit 0', { family: 'somebody-elses' });
  const arn = emulator.runTask('exit 0');
  await lookUntil(() => endsOf(arn).length > 0);
  await bridge.look();
  expect(logged.filter((line) => line.includes('somebody-elses'))).toHaveLength(1);
  expect(emulator.tasks[0]?.desiredStatus).toBe('RUNNING');
});

it('a task whose record is forgotten after an hour is left alone, though the emulator still lists it', async () => {
  const arn = emulator.runTask(`echo started >>${join(dataDir, 'starts')}`);
  await lookUntil(() => emulator.tasks[0]?.desiredStatus === 'STOPPED');
  store.tasks.delete(nameOf(arn));
  await bridge.look();
  emulator.tasks[0]!.desiredStatus = 'RUNNING';
  await bridge.look();
  expect(store.tasks.size).toBe(0);
  expect(new Set(endsOf(arn).map(({ detail }) => detail.stopCode))).toEqual(new Set(['EssentialContainerExited']));
  expect(await readFile(join(dataDir, 'starts'), 'utf8')).toBe('started\n');
});

it('waits for the deployment', async () => {
  emulator.setClusters([]);
  await bridge.look();
  expect(emulator.called('DescribeTasks')).toBe(0);
});

it('the functions get the answers of the emulator as they are, also its refusals and its absence', async () => {
  emulator.setClusters([]);
  const call = client.send(new DescribeTasksCommand({ cluster: 'builder', tasks: ['x'] }));
  await expect(call).rejects.toMatchObject({ name: 'ClusterNotFoundException', message: 'Cluster not found.' });
  await emulator.close();
  const late = client.send(new DescribeTasksCommand({ cluster: 'builder', tasks: ['x'] }));
  await expect(late).rejects.toMatchObject({
    name: 'ServerException',
    message: expect.stringContaining('does not answer'),
  });
  emulator = await emulatedEcs();
});
