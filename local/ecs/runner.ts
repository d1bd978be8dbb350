import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { PLATFORM_CRASHED, PLATFORM_STOPPED } from '../../lambdas/task-watcher/classify.ts';
import { familyOf, identifyProcess, killFamily, processTable, signalProcess } from './processes.ts';
import type { ContainerOverride, StopCode, TaskRecord } from './task.ts';
import type { TaskDefinition } from './taskDefinition.ts';
import type { TaskLog } from './taskLog.ts';
import type { TaskStore } from './taskStore.ts';
import { type TaskStateChange, taskStateChange } from './view.ts';

interface RunnerOptions {
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly onTaskStateChange: (event: TaskStateChange) => unknown;
  readonly onError: (error: unknown) => void;
}

/** State of a live task besides its record. */
interface Live {
  readonly task: TaskRecord;
  readonly definition: TaskDefinition;
  /** Processes seen so far: pid → start time. */
  readonly known: Map<number, string>;
  /** Aborted by a stop: a pull is not waited for. */
  readonly cancel: AbortController;
  pid?: number;
  killTimer?: NodeJS.Timeout;
  stop?: { code: StopCode; reason: string };
  /** What the task was started with. */
  variables?: Readonly<Record<string, string>>;
  ended?: Promise<void>;
}

type Ending = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

const DEFAULT_STOP_TIMEOUT_SECONDS = 30;
const LOOK_MS = 1_000;

/** Runs tasks through their states: PROVISIONING, PENDING, RUNNING, DEPROVISIONING, STOPPED. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #live = new Map<string, Live>();
  #looking: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Ends what was left before a restart of the platform: processes, and records that still say "running". */
  async recover(): Promise<void> {
    const left = [...this.#options.store.tasks.values()].filter((task) => task.lastStatus !== 'STOPPED');
    for (const task of left) {
      const ran = task.process !== undefined;
      if (task.process) await killFamily(task.process);
      const code = ran ? 'TerminationNotice' : 'TaskFailedToStart';
      await this.#stopped(task, {
        stopCode: task.stopCode ?? code, // it may have been told to stop before
        stoppedReason: task.stoppedReason ?? (ran ? PLATFORM_CRASHED : PLATFORM_STOPPED),
      });
    }
    await this.#options.store.prune();
  }

  /** Announces a task that was just stored, and starts it. */
  start(task: TaskRecord, definition: TaskDefinition, overrides: readonly ContainerOverride[]): void {
    const live: Live = { task, definition, known: new Map(), cancel: new AbortController() };
    this.#live.set(task.id, live);
    this.#emit(task);
    live.ended = this.#run(live, overrides).catch((error) => this.#options.onError(error));
  }

  /** SIGTERM to the task's group now, SIGKILL to all that is left after the stop timeout. */
  async stop(task: TaskRecord, code: StopCode, reason: string): Promise<void> {
    const live = this.#live.get(task.id);
    if (!live || live.stop || task.lastStatus === 'DEPROVISIONING') return;
    live.stop = { code, reason };
    live.cancel.abort();
    const { clock } = this.#options;
    await this.#change(task, {
      desiredStatus: 'STOPPED',
      stoppingAt: clock.now(),
      stopCode: code,
      stoppedReason: reason,
    });
    this.#terminate(live);
  }

  #terminate(live: Live): void {
    if (live.pid === undefined) return; // not started, and it will not be; or ended already
    signalProcess(-live.pid, 'SIGTERM');
    const seconds = live.definition.stopTimeoutSeconds ?? DEFAULT_STOP_TIMEOUT_SECONDS;
    live.killTimer = setTimeout(() => this.#kill(live), seconds * 1_000);
  }

  #kill({ task, known }: Live): void {
    if (task.process) killFamily(task.process, known).catch((error) => this.#options.onError(error));
  }

  /** Kills every task; their records say that the platform ended them, so that their builds are tried again. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    const running = [...this.#live.values()];
    for (const live of running) {
      live.stop = { code: 'TerminationNotice', reason: PLATFORM_STOPPED };
      live.cancel.abort();
      this.#kill(live);
    }
    await Promise.all(running.map((live) => live.ended));
    await this.#options.store.settled();
  }

  async #run(live: Live, overrides: readonly ContainerOverride[]): Promise<void> {
    const { task } = live;
    try {
      const outcome = await this.#execute(live, overrides).catch((error: Error) => {
        this.#options.onError(error);
        return failedToStart(`CannotStartContainerError: ${error.message}`);
      });
      clearTimeout(live.killTimer);
      const end = { ...outcome, ...(live.stop && { stopCode: live.stop.code, stoppedReason: live.stop.reason }) };
      await this.#change(task, { ...end, lastStatus: 'DEPROVISIONING', desiredStatus: 'STOPPED' });
      if (task.process) await killFamily(task.process, live.known);
      if (live.variables) await this.#release(live, live.variables);
      await this.#stopped(task, {});
    } finally {
      this.#live.delete(task.id);
    }
    await this.#options.store.prune();
  }

  async #release({ definition }: Live, variables: Readonly<Record<string, string>>): Promise<void> {
    await definition.image.release?.(variables).catch((error) => this.#options.onError(error));
  }

  async #execute(live: Live, overrides: readonly ContainerOverride[]): Promise<Partial<TaskRecord>> {
    const { task, definition } = live;
    const { clock } = this.#options;
    await this.#change(task, { lastStatus: 'PENDING', pullStartedAt: clock.now() });
    const override = overrides.find((o) => o.name === task.containerName);
    const given = Object.fromEntries((override?.environment ?? []).map(({ name, value }) => [name, value]));
    let image: Record<string, string>;
    try {
      const { environment } = definition.image;
      const pull = typeof environment === 'function' ? environment(given) : Promise.resolve(environment);
      image = await Promise.race([pull, rejectedOn(live.cancel.signal)]);
    } catch (error) {
      if (live.stop) return {};
      return failedToStart(`CannotPullContainerError: ${(error as Error).message}`);
    }
    if (live.stop) return {};
    const log = this.#options.store.openLog(task.id);
    const env = { ...image, ...given };
    live.variables = env;
    try {
      return await this.#execProcess(live, {
        env,
        given,
        log,
        command: override?.command ?? [],
      });
    } finally {
      log.close();
    }
  }

  async #execProcess(
    live: Live,
    run: { env: Record<string, string>; given: Record<string, string>; log: TaskLog; command: readonly string[] },
  ): Promise<Partial<TaskRecord>> {
    const { task, definition } = live;
    const [program = '', ...args] = [...definition.image.entryPoint, ...run.command];
    const child = spawn(program, args, {
      env: run.env, // without the platform's own variables
      cwd: definition.image.cwd ?? '/',
      detached: true, // a session and a process group of its own, to be ended as a whole
      stdio: ['ignore', run.log.fd, run.log.fd],
    });
    const end = new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (code, name) => {
        if (live.pid !== undefined) signalProcess(-live.pid, 'SIGKILL'); // what is left of its group
        delete live.pid;
        resolve({ code, signal: name });
      });
    });
    if (child.pid !== undefined) {
      live.pid = child.pid;
      task.process = identifyProcess(child.pid, run.given);
      try {
        this.#options.store.saveNow(task); // from here on a restarted platform would find the process
      } catch (error) {
        signalProcess(-child.pid, 'SIGKILL'); // one that could not be found later must not run
        throw error;
      }
      await this.#change(task, { lastStatus: 'RUNNING', startedAt: this.#options.clock.now() });
      this.#look();
    }
    const looking = setInterval(() => run.log.bound(), LOOK_MS);
    const result = await end.finally(() => clearInterval(looking));
    if ('error' in result) return failedToStart(`CannotStartContainerError: ${result.error.message}`);
    if (this.#closed) return {}; // killed by us: an exit code would say that the build ended
    const exitCode = result.code ?? 128 + (result.signal ? constants.signals[result.signal] : 0);
    return { exitCode, stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' };
  }

  /** Notes regularly which processes belong to which task, since that cannot be seen after their parents have ended. */
  #look(): void {
    this.#looking ??= setInterval(async () => {
      if (this.#live.size === 0) {
        clearInterval(this.#looking);
        this.#looking = undefined;
        return;
      }
      try {
        const table = await processTable();
        for (const { task, known } of this.#live.values()) {
          if (!task.process) continue;
          const family = familyOf(table, task.process, known);
          known.clear();
          for (const { pid, started } of family) known.set(pid, started);
        }
      } catch (error) {
        this.#options.onError(error);
      }
    }, LOOK_MS);
    this.#looking.unref();
  }

  #stopped(task: TaskRecord, end: Partial<TaskRecord>): Promise<void> {
    const { clock } = this.#options;
    delete task.process;
    return this.#change(task, {
      stoppingAt: task.stoppingAt ?? clock.now(),
      ...end,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stoppedAt: clock.now(),
    });
  }

  /** Stores a change before it is published. */
  async #change(task: TaskRecord, change: Partial<TaskRecord>): Promise<void> {
    Object.assign(task, change, { version: task.version + 1 });
    const event = this.#event(task);
    await this.#options.store.save(task);
    this.#deliver(event);
  }

  #emit(task: TaskRecord): void {
    this.#deliver(this.#event(task));
  }

  #event(task: TaskRecord): TaskStateChange {
    const { store, clock } = this.#options;
    return taskStateChange(task, store.overrides.get(task.id) ?? [{ name: task.containerName }], clock.now());
  }

  #deliver(event: TaskStateChange): void {
    const { onTaskStateChange, onError } = this.#options;
    Promise.resolve()
      .then(() => onTaskStateChange(event))
      .catch(onError);
  }
}

const rejectedOn = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

const failedToStart = (reason: string): Partial<TaskRecord> => ({
  stopCode: 'TaskFailedToStart',
  stoppedReason: reason,
  containerReason: reason,
});
