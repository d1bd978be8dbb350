import {
  DescribeTasksCommand,
  type DesiredStatus,
  type ECSClient,
  paginateListTasks,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import { nameOf, taskArn } from '../ecs/arns.ts';
import type { Runner } from '../ecs/runner.ts';
import { type ContainerOverride, newTask, type TaskRecord } from '../ecs/task.ts';
import type { TaskDefinition } from '../ecs/taskDefinition.ts';
import type { TaskStore } from '../ecs/taskStore.ts';
import { type TaskStateChange, taskStateChange } from '../ecs/view.ts';

export interface TaskBridgeOptions {
  /** The emulator's ECS, which records tasks and runs none. */
  readonly ecs: ECSClient;
  readonly store: TaskStore;
  readonly runner: Runner;
  readonly definitions: readonly TaskDefinition[];
  /** Invokes the functions with a rule for a state change. */
  readonly deliver: (change: TaskStateChange) => Promise<void>;
  readonly log: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** How many tasks DescribeTasks takes. */
const PAGE = 100;

/**
 * Runs the tasks that the emulator's ECS has recorded. A task with a record here is never started a second time, also
 * not by a restarted bridge, for which its record says that the task was lost.
 */
export class TaskBridge {
  readonly #options: TaskBridgeOptions;
  readonly #clusters: readonly string[];
  /** ARNs of tasks that were started or refused: an emulator lists them long after their records are forgotten. */
  readonly #known = new Set<string>();

  constructor(options: TaskBridgeOptions) {
    this.#options = options;
    this.#clusters = [...new Set(options.definitions.map((d) => d.cluster))];
  }

  /** One look at both clusters: starts what is new, stops what the emulator was told to stop. */
  async look(): Promise<void> {
    for (const cluster of this.#clusters) {
      const isNew = (arn: string) => !this.#known.has(arn);
      const toRun = (arn: string, record?: TaskRecord) => (record ? record.lastStatus === 'STOPPED' : isNew(arn));
      for (const task of await this.#tasks(cluster, 'RUNNING', toRun)) await this.#each(() => this.#run(cluster, task));
      const toStop = (arn: string, record?: TaskRecord) => (record ? record.desiredStatus !== 'STOPPED' : isNew(arn));
      for (const task of await this.#tasks(cluster, 'STOPPED', toStop))
        await this.#each(() => this.#stop(cluster, task));
    }
  }

  /** Logs the fault of one task, so that the others are handled; the next round tries it again. */
  async #each(work: () => Promise<unknown>): Promise<void> {
    await work().catch(this.#options.onError);
  }

  async #run(cluster: string, task: Task): Promise<void> {
    const { store } = this.#options;
    const record = store.tasks.get(nameOf(task.taskArn ?? ''));
    // Its end was not delivered to all functions, because the bridge was ended or the emulator did not answer.
    if (record) await this.tell(taskStateChange(record, store.overrides.get(record.id) ?? [], Date.now()));
    else await this.#start(cluster, task);
  }

  /** Delivers a change; the emulator is told of an end last, since until then `look` repeats it. */
  async tell(change: TaskStateChange): Promise<void> {
    const { lastStatus, taskArn, clusterArn, containers, stoppedReason } = change.detail;
    const end = lastStatus === 'STOPPED' ? `: exit code ${containers[0]?.exitCode ?? 'none'}; ${stoppedReason}` : '';
    this.#options.log(`${taskArn} is ${lastStatus}${end}`);
    await this.#options.deliver(change);
    if (lastStatus === 'STOPPED')
      await this.#options.ecs.send(new StopTaskCommand({ cluster: clusterArn, task: taskArn, reason: stoppedReason }));
  }

  async #tasks(cluster: string, desiredStatus: DesiredStatus, wanted: (arn: string, record?: TaskRecord) => boolean) {
    const { ecs, store } = this.#options;
    const arns: string[] = [];
    try {
      for await (const page of paginateListTasks({ client: ecs }, { cluster, desiredStatus }))
        arns.push(...(page.taskArns ?? []).filter((arn) => wanted(arn, store.tasks.get(nameOf(arn)))));
    } catch (e) {
      if ((e as Error).name === 'ClusterNotFoundException') return []; // nothing is deployed yet
      throw e;
    }
    const found: Task[] = [];
    for (let from = 0; from < arns.length; from += PAGE) {
      const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: arns.slice(from, from + PAGE) }));
      found.push(...(tasks ?? []));
    }
    return found;
  }

  async #start(cluster: string, task: Task): Promise<TaskRecord | undefined> {
    const { store, runner, definitions, log } = this.#options;
    const arn = task.taskArn ?? '';
    const id = nameOf(arn);
    const family = nameOf(task.taskDefinitionArn ?? '').split(':')[0];
    const definition = definitions.find((d) => d.family === family);
    this.#known.add(arn);
    if (!definition || arn !== taskArn(cluster, id)) {
      log(`task ${arn} of ${family} is not one that can be run here`);
      return undefined;
    }
    const record = newTask(definition, {
      id,
      cluster,
      group: task.group || undefined,
      ...(task.startedBy && { startedBy: task.startedBy }),
      ...(task.capacityProviderName && { capacityProvider: task.capacityProviderName }),
      tags: task.tags ?? [],
      request: { fingerprint: arn },
      createdAt: task.createdAt?.getTime() ?? Date.now(),
    });
    const overrides = overridesOf(task);
    await store.add(record, overrides);
    runner.start(record, definition, overrides);
    return record;
  }

  async #stop(cluster: string, task: Task): Promise<void> {
    // One that was stopped before it was seen is started all the same: told to stop at once, it runs nothing and ends.
    const record = this.#options.store.tasks.get(nameOf(task.taskArn ?? '')) ?? (await this.#start(cluster, task));
    if (record) await this.#options.runner.stop(record, 'UserInitiated', task.stoppedReason || 'Task stopped by user');
  }
}

const overridesOf = (task: Task): ContainerOverride[] =>
  (task.overrides?.containerOverrides ?? []).map(({ name = '', environment, command }) => ({
    name,
    ...(environment && { environment: environment.map(({ name = '', value = '' }) => ({ name, value })) }),
    ...(command && { command }),
  }));
