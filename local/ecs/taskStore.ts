import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';
import type { ContainerOverride, TaskRecord } from './task.ts';
import { TaskLog } from './taskLog.ts';

/**
 * Stopped tasks are kept as long as ECS shows them, up to a number: a repeated call is recognised while its task is
 * kept.
 */
const KEEP_MS = 3_600_000;
const KEEP_COUNT = 10_000;
/** Output is what takes room. */
const KEEP_LOGS = 200;
const PRUNE_MS = 5_000;
/** Interval at which a state that could not be written is tried again, until there is space. */
const RETRY_MS = 1_000;

/**
 * The tasks, each with a file of its own and a file of its output. The overrides of the call (keys, the user's
 * variables) are kept in memory only.
 */
export class TaskStore {
  readonly tasks = new Map<string, TaskRecord>();
  readonly overrides = new Map<string, readonly ContainerOverride[]>();
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #byToken = new Map<string, string[]>();
  readonly #writes = new Map<string, Promise<void>>();
  /** Tasks that have a file of output. */
  readonly #logs = new Set<string>();
  /** Tasks whose file is not up to date. */
  readonly #unsaved = new Set<string>();
  readonly #onError: (error: unknown) => void;
  #retry: NodeJS.Timeout | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;

  private constructor(dir: string, clock: Clock, onError: (error: unknown) => void) {
    this.#dir = dir;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** @param onError Told of files that cannot be read (a power cut), which are kept aside, and of those that cannot be written. */
  static async open(dir: string, clock: Clock, onError: (error: unknown) => void): Promise<TaskStore> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const store = new TaskStore(dir, clock, onError);
    const loaded: TaskRecord[] = [];
    for (const name of await readdir(dir)) {
      if (name.endsWith('.log')) store.#logs.add(name.slice(0, -'.log'.length));
      else if (name.endsWith('.tmp')) await rm(join(dir, name), { force: true });
      else if (name.endsWith('.json')) {
        try {
          loaded.push(JSON.parse(await readFile(join(dir, name), 'utf8')) as TaskRecord);
        } catch (cause) {
          onError(new Error(`The task file ${name} cannot be read and was renamed to ${name}.damaged`, { cause }));
          await rename(join(dir, name), join(dir, `${name}.damaged`));
        }
      }
    }
    for (const task of loaded.sort((a, b) => a.createdAt - b.createdAt)) store.#remember(task);
    return store;
  }

  logPath(id: string): string {
    return join(this.#dir, `${id}.log`);
  }

  openLog(id: string): TaskLog {
    this.#logs.add(id);
    return new TaskLog(this.logPath(id));
  }

  #remember(task: TaskRecord): void {
    this.tasks.set(task.id, task);
    const { token } = task.request;
    if (token !== undefined) this.#byToken.set(token, [...(this.#byToken.get(token) ?? []), task.id]);
  }

  byToken(token: string): TaskRecord[] {
    return (this.#byToken.get(token) ?? []).map((id) => this.tasks.get(id)!);
  }

  /**
   * Adds a task in memory at once, so that a repeated call finds it; it is on disk when the promise resolves. If it
   * cannot be written it is removed again, since a task that is not on disk must not be started.
   */
  async add(task: TaskRecord, overrides: readonly ContainerOverride[]): Promise<void> {
    this.#remember(task);
    this.overrides.set(task.id, overrides);
    try {
      await this.#write(task);
    } catch (error) {
      this.#forget(task);
      throw error;
    }
  }

  /**
   * Writes the present state. Calls for one task are carried out in order. If writing fails it is tried again until it
   * works; meanwhile the task goes on, and its older file is enough to find it after a crash.
   */
  async save(task: TaskRecord): Promise<void> {
    try {
      await this.#write(task);
      this.#unsaved.delete(task.id);
    } catch (error) {
      this.#unsaved.add(task.id);
      if (this.#retry) return;
      this.#onError(error);
      this.#retry = setTimeout(() => this.#saveAgain(), RETRY_MS);
      this.#retry.unref();
    }
  }

  async #saveAgain(): Promise<void> {
    const [id] = this.#unsaved;
    const task = id === undefined ? undefined : this.tasks.get(id);
    try {
      if (task) await this.#write(task);
      if (id !== undefined) this.#unsaved.delete(id);
    } catch {}
    this.#retry = this.#unsaved.size === 0 ? undefined : setTimeout(() => this.#saveAgain(), RETRY_MS);
    this.#retry?.unref();
  }

  #write(task: TaskRecord): Promise<void> {
    const text = JSON.stringify(task);
    const before = this.#writes.get(task.id) ?? Promise.resolve();
    const write = before
      .catch(() => undefined)
      .then(() => writeFileAtomic(join(this.#dir, `${task.id}.json`), text, false));
    this.#writes.set(task.id, write);
    return write.finally(() => {
      if (this.#writes.get(task.id) === write) this.#writes.delete(task.id);
    });
  }

  /** `save` without giving anything else a turn, and not tried again. Only while no `save` of the task is under way. */
  saveNow(task: TaskRecord): void {
    const path = join(this.#dir, `${task.id}.json`);
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(task), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      rmSync(`${path}.tmp`, { force: true });
      throw error;
    }
  }

  #forget({ id, request: { token } }: TaskRecord): void {
    this.tasks.delete(id);
    this.overrides.delete(id);
    this.#unsaved.delete(id);
    if (token !== undefined) this.#byToken.delete(token);
  }

  /** Forgets what stopped long ago. Looks only now and then: it is called at the end of every task. */
  async prune(): Promise<void> {
    const now = this.#clock.now();
    if (now >= this.#prunedAt && now - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = now;
    const stopped = [...this.tasks.values()].filter((t) => t.lastStatus === 'STOPPED' && !this.#writes.has(t.id));
    const newestFirst = stopped.sort((a, b) => (b.stoppedAt ?? 0) - (a.stoppedAt ?? 0));
    const isOld = (t: TaskRecord) => (t.stoppedAt ?? 0) < now - KEEP_MS;
    const forgotten = newestFirst.filter((t, i) => i >= KEEP_COUNT || isOld(t));
    for (const task of forgotten) this.#forget(task);
    // The overrides are removed together with the output, since they are no longer needed.
    const silenced = newestFirst.filter((t, i) => (i >= KEEP_LOGS || isOld(t)) && this.#logs.delete(t.id));
    for (const { id } of silenced) this.overrides.delete(id);
    await Promise.all([
      ...forgotten.map(({ id }) => rm(join(this.#dir, `${id}.json`), { force: true })),
      ...silenced.map(({ id }) => rm(this.logPath(id), { force: true })),
    ]);
  }

  async settled(): Promise<void> {
    clearTimeout(this.#retry);
    await Promise.allSettled(this.#writes.values());
  }
}
