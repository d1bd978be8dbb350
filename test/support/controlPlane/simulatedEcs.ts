import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the stand-in for a container does: resolves to its exit code. Aborted by StopTask, as by SIGTERM. */
export type Container = (env: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<number | Ending>;
export interface Ending {
  readonly exitCode?: number;
  readonly stopCode: string;
  readonly stoppedReason: string;
}

export interface LoggedTask {
  readonly arn: string;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
  readonly capacityProvider: string;
  /** Order of all starts and stops. */
  readonly startedAs: number;
  stoppedAs?: number;
}

export type SimulatedFault = 'error500' | 'throttle' | 'lost-answer' | 'no-capacity';

export interface SimulatedEcs {
  readonly url: string;
  /** Every task that ever was, in the order of their starts: the truth that limits are checked against. */
  readonly log: readonly LoggedTask[];
  close(): Promise<void>;
}

interface Task extends LoggedTask {
  readonly fingerprint: string;
  readonly cluster: string;
  readonly createdAt: number;
  readonly stop: AbortController;
  desiredStatus: 'RUNNING' | 'STOPPED';
  lastStatus: 'RUNNING' | 'STOPPED';
  stoppedAt?: number;
  stopCode?: string;
  stoppedReason?: string;
  exitCode?: number;
}

/**
 * ECS's protocol with tasks that are functions instead of processes: for thousands of them. `local/ecs` is the endpoint
 * with processes; both hold a client token to its first request.
 */
export async function simulatedEcs(options: {
  readonly container: Container;
  readonly onStopped?: (event: object) => void;
  readonly now?: () => number;
  readonly fault?: (operation: string) => SimulatedFault | undefined;
}): Promise<SimulatedEcs> {
  const { now = Date.now } = options;
  const tasks = new Map<string, Task>();
  const byToken = new Map<string, Task>();
  const log: Task[] = [];
  let order = 0;

  async function live(task: Task): Promise<void> {
    const end = await options.container(task.env, task.stop.signal).catch(() => 1);
    const ended =
      typeof end === 'number'
        ? { exitCode: end, stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' }
        : end;
    Object.assign(task, {
      ...ended,
      ...(task.stopCode && { stopCode: task.stopCode, stoppedReason: task.stoppedReason }),
    });
    Object.assign(task, { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stoppedAt: now(), stoppedAs: ++order });
    options.onStopped?.(stateChange(task));
  }

  const operations: Record<string, (input: Input) => object> = {
    RunTask(input) {
      const environment = input.overrides?.containerOverrides?.[0]?.environment ?? [];
      const token = input.clientToken ?? '';
      const fingerprint = createHash('sha256').update(JSON.stringify(input)).digest('hex');
      const known = byToken.get(token);
      if (known && known.fingerprint !== fingerprint)
        throw { status: 400, __type: 'ConflictException', message: 'other parameters', resourceIds: [known.arn] };
      if (known) return { tasks: [shown(known)], failures: [] };
      const cluster = input.cluster ?? '';
      const task: Task = {
        arn: `arn:aws:ecs:local:000000000000:task/${cluster}/${randomBytes(16).toString('hex')}`,
        token,
        env: Object.fromEntries(environment.map(({ name, value }) => [name, value])),
        capacityProvider: input.capacityProviderStrategy?.[0]?.capacityProvider ?? '',
        startedAs: ++order,
        fingerprint,
        cluster,
        createdAt: now(),
        stop: new AbortController(),
        desiredStatus: 'RUNNING',
        lastStatus: 'RUNNING',
      };
      tasks.set(task.arn, task);
      byToken.set(token, task);
      log.push(task);
      void live(task);
      return { tasks: [shown(task)], failures: [] };
    },
    StopTask(input) {
      const task = tasks.get(input.task ?? '');
      if (!task)
        throw { status: 400, __type: 'InvalidParameterException', message: 'The referenced task was not found.' };
      if (task.desiredStatus === 'RUNNING') {
        Object.assign(task, { desiredStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: input.reason });
        task.stop.abort();
      }
      return { task: shown(task) };
    },
    DescribeTasks(input) {
      const wanted = input.tasks ?? [];
      return {
        tasks: wanted.flatMap((arn) => (tasks.has(arn) ? [shown(tasks.get(arn)!)] : [])),
        failures: wanted.filter((arn) => !tasks.has(arn)).map((arn) => ({ arn, reason: 'MISSING' })),
      };
    },
    ListTasks(input) {
      const found = log.filter(
        (t) =>
          t.cluster === input.cluster &&
          t.desiredStatus === (input.desiredStatus ?? 'RUNNING') &&
          (input.startedBy == null || t.token === input.startedBy),
      );
      const from = Number(input.nextToken ?? 0);
      return {
        taskArns: found.slice(from, from + 100).map((t) => t.arn),
        ...(found.length > from + 100 && { nextToken: String(from + 100) }),
      };
    },
  };

  const server = createServer((request, response) => {
    void readJson(request).then((input) => {
      const name = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
      const send = (status: number, body: object) =>
        response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      const fault = options.fault?.(name);
      if (fault === 'error500') return send(500, { __type: 'ServerException', message: 'try again' });
      if (fault === 'throttle') return send(400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
      if (fault === 'no-capacity' && name === 'RunTask' && !byToken.has(input.clientToken ?? ''))
        return send(200, { tasks: [], failures: [{ reason: 'Capacity is unavailable at this time' }] });
      try {
        const answer = operations[name]!(input);
        return fault === 'lost-answer' ? request.socket.destroy() : send(200, answer);
      } catch (e) {
        const { status, ...error } = e as { status: number };
        return send(status, error);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    close: () =>
      new Promise((done) => {
        for (const task of log) task.stop.abort();
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

interface Input {
  readonly cluster?: string;
  readonly clientToken?: string;
  readonly startedBy?: string;
  readonly desiredStatus?: string;
  readonly nextToken?: string;
  readonly task?: string;
  readonly tasks?: string[];
  readonly reason?: string;
  readonly capacityProviderStrategy?: { capacityProvider: string }[];
  readonly overrides?: { containerOverrides?: { environment?: { name: string; value: string }[] }[] };
}

async function readJson(request: IncomingMessage): Promise<Input> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Input;
}

const clusterArn = (cluster: string) => `arn:aws:ecs:local:000000000000:cluster/${cluster}`;

const shown = (task: Task) => ({
  taskArn: task.arn,
  clusterArn: clusterArn(task.cluster),
  startedBy: task.token,
  lastStatus: task.lastStatus,
  desiredStatus: task.desiredStatus,
  createdAt: task.createdAt / 1_000,
  pullStartedAt: task.createdAt / 1_000,
  startedAt: task.createdAt / 1_000,
  ...{ cpu: '1024', memory: '2048' },
  capacityProviderName: task.capacityProvider,
  ...(task.stoppedAt && { stoppedAt: task.stoppedAt / 1_000 }),
  ...(task.stopCode && { stopCode: task.stopCode, stoppedReason: task.stoppedReason }),
  containers: [{ ...(task.exitCode !== undefined && { exitCode: task.exitCode }) }],
});

const stateChange = (task: Task) => ({
  source: 'aws.ecs',
  'detail-type': 'ECS Task State Change',
  detail: { taskArn: task.arn, clusterArn: clusterArn(task.cluster), startedBy: task.token, lastStatus: 'STOPPED' },
});
