import { createHash, randomBytes } from 'node:crypto';
import { MAX_OVERRIDES_LENGTH } from '../../contract/builder-env.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { clusterArn, familyName, nameOf, taskArn } from './arns.ts';
import type { DescribeTasksInput, ListTasksInput, RunTaskRequest, StopTaskInput } from './requests.ts';
import type { Runner } from './runner.ts';
import { newTask, type TaskRecord } from './task.ts';
import type { TaskDefinition } from './taskDefinition.ts';
import type { TaskStore } from './taskStore.ts';
import { taskAnswer } from './view.ts';

const PAGE = 100;

const invalidParameter = (message: string) => new ServiceError('InvalidParameterException', 400, message);

export class Operations {
  readonly #definitions: ReadonlyMap<string, TaskDefinition>;
  readonly #clusters: ReadonlySet<string>;
  readonly #store: TaskStore;
  readonly #runner: Runner;
  readonly #clock: Clock;

  constructor(options: { taskDefinitions: readonly TaskDefinition[]; store: TaskStore; runner: Runner; clock: Clock }) {
    this.#definitions = new Map(options.taskDefinitions.map((d) => [d.family, d]));
    this.#clusters = new Set(options.taskDefinitions.map((d) => d.cluster));
    this.#store = options.store;
    this.#runner = options.runner;
    this.#clock = options.clock;
  }

  #cluster(nameOrArn: string | null | undefined): string {
    const name = nameOf(nameOrArn ?? 'default');
    if (!this.#clusters.has(name)) throw new ServiceError('ClusterNotFoundException', 400, 'Cluster not found.');
    return name;
  }

  #answer(task: TaskRecord) {
    return taskAnswer(task, this.#store.overrides.get(task.id) ?? [{ name: task.containerName }]);
  }

  async runTask(input: RunTaskRequest) {
    const cluster = this.#cluster(input.cluster);
    const definition = this.#definitions.get(familyName(input.taskDefinition) ?? '');
    if (!definition) throw new ServiceError('ClientException', 400, 'Unable to find task definition.');
    checkRunTask(input, definition);

    const token = input.clientToken ?? undefined;
    const fingerprint = fingerprintOf(input);
    const earlier = token === undefined ? [] : this.#store.byToken(token);
    if (earlier.length > 0) {
      if (earlier.some((task) => task.request.fingerprint !== fingerprint))
        throw new ServiceError('ConflictException', 400, 'The clientToken was used for another request.', {
          resourceIds: earlier.map((task) => taskArn(task.cluster, task.id)),
        });
      return { tasks: earlier.map((task) => this.#answer(task)), failures: [] };
    }

    const overrides = input.overrides?.containerOverrides ?? [];
    const capacityProvider = input.capacityProviderStrategy?.[0]?.capacityProvider;
    const made = Array.from({ length: input.count ?? 1 }, () =>
      newTask(definition, {
        id: randomBytes(16).toString('hex'),
        cluster,
        group: input.group ?? undefined,
        ...(input.startedBy != null && { startedBy: input.startedBy }),
        ...(capacityProvider !== undefined && { capacityProvider }),
        tags: input.tags ?? [],
        request: { fingerprint, ...(token !== undefined && { token }) },
        createdAt: this.#clock.now(),
      }),
    );
    // A task is stored before it is started and before the call is answered, so that a repeated call always finds it.
    await Promise.all(made.map((task) => this.#store.add(task, overrides)));
    const tasks = made.map((task) => this.#answer(task));
    for (const task of made) this.#runner.start(task, definition, overrides);
    return { tasks, failures: [] };
  }

  #find(cluster: string, idOrArn: string): TaskRecord | undefined {
    const task = this.#store.tasks.get(nameOf(idOrArn));
    return task?.cluster === cluster && (!idOrArn.startsWith('arn:') || idOrArn === taskArn(cluster, task.id))
      ? task
      : undefined;
  }

  async stopTask(input: StopTaskInput) {
    const task = this.#find(this.#cluster(input.cluster), input.task);
    if (!task) throw invalidParameter('The referenced task was not found.');
    await this.#runner.stop(task, 'UserInitiated', input.reason ?? 'Task stopped by user');
    return { task: this.#answer(task) };
  }

  async describeTasks(input: DescribeTasksInput) {
    const cluster = this.#cluster(input.cluster);
    if (input.tasks.length === 0) throw invalidParameter('Tasks cannot be empty.');
    if (input.tasks.length > PAGE) throw invalidParameter(`Tasks cannot have more than ${PAGE} elements.`);
    const found = input.tasks.map((name) => [name, this.#find(cluster, name)] as const);
    return {
      tasks: found.flatMap(([, task]) => (task ? [this.#answer(task)] : [])),
      failures: found.flatMap(([name, task]) =>
        task ? [] : [{ arn: name.startsWith('arn:') ? name : taskArn(cluster, name), reason: 'MISSING' }],
      ),
    };
  }

  async listTasks(input: ListTasksInput) {
    const cluster = this.#cluster(input.cluster);
    const desired = input.desiredStatus ?? 'RUNNING';
    if (input.nextToken != null && !/^[0-9a-f]{32}$/.test(input.nextToken)) throw invalidParameter('Invalid token.');
    const matching = [...this.#store.tasks.values()]
      .filter(
        (task) =>
          task.cluster === cluster &&
          task.desiredStatus === desired &&
          (input.family == null || task.family === input.family) &&
          (input.startedBy == null || task.startedBy === input.startedBy) &&
          input.serviceName == null &&
          (input.launchType == null || input.launchType === 'FARGATE'),
      )
      .map((task) => task.id)
      .sort();
    // Pages are ordered by id, so that tasks which come or go meanwhile do not change their order.
    const after = matching.filter((id) => input.nextToken == null || id > input.nextToken);
    const page = after.slice(0, input.maxResults ?? PAGE);
    return {
      taskArns: page.map((id) => taskArn(cluster, id)),
      ...(after.length > page.length && { nextToken: page.at(-1) }),
    };
  }

  /** The resource that IAM looks at for an operation. */
  resourceOf(input: { cluster?: string | null | undefined; task?: string; taskDefinition?: string }): string {
    return input.task ?? input.taskDefinition ?? clusterArn(nameOf(input.cluster ?? 'default'));
  }
}

function checkRunTask(input: RunTaskRequest, definition: TaskDefinition): void {
  const overrides = input.overrides?.containerOverrides ?? [];
  const stranger = overrides.find((o) => o.name !== definition.containerName);
  if (stranger)
    throw invalidParameter(`Override for container named ${stranger.name} is not a container in the TaskDefinition.`);
  if (input.overrides && JSON.stringify(input.overrides).length > MAX_OVERRIDES_LENGTH)
    throw invalidParameter(`Container Overrides length must be at most ${MAX_OVERRIDES_LENGTH}`);
  const providers = input.capacityProviderStrategy ?? [];
  if (input.launchType && providers.length > 0)
    throw invalidParameter(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    );
  if (providers.some((p) => !['FARGATE', 'FARGATE_SPOT'].includes(p.capacityProvider)))
    throw invalidParameter('The specified capacity provider was not found.');
}

function fingerprintOf({ clientToken: _, ...parameters }: RunTaskRequest): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(parameters)))
    .digest('hex');
}

/** The order of an object's members means nothing. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, v]) => v != null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([k, v]) => [k, sortKeys(v)]));
}
