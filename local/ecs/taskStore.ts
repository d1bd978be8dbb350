import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';
import type { ContainerOverride, TaskRecord } from './task.ts';
import { TaskLog } from './taskLog.ts';

/** As long as ECS shows stopped tasks, and at most so many: a repeat of a call is recognised as long as its task is kept. */
const KEEP_MS = 3_600_000;
const KEEP_COUNT = 10_000;
/** Output is what takes room. */
const KEEP_LOGS = 200;
const PRUNE_MS = 5_000;

/**
 * The tasks, each with a file of its own and a file of its output. What the caller gave in overrides (keys, the user's
 * variables) is kept in memory only.
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
  #prunedAt = Number.NEGATIVE_INFINITY;

  private constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
  }

  /** @param onError Told of files that cannot be read (a power cut); they are given up, and not in the way of a start. */
  static async open(dir: string, clock: Clock, onError: (error: unknown) => void): Promise<TaskStore> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const store = new TaskStore(dir, clock);
    const loaded: TaskRecord[] = [];
    for (const name of await readdir(dir)) {
      if (name.endsWith('.log')) store.#logs.add(name.slice(0, -'.log'.length));
      else if (name.endsWith('.tmp')) await rm(join(dir, name), { force: true });
      else if (name.endsWith('.json')) {
        try {
          loaded.push(JSON.parse(await readFile(join(dir, name), 'utf8')) as TaskRecord);
        } catch (cause) {
          onError(new Error(`The task file ${name} cannot be read`, { cause }));
          await rm(join(dir, name), { force: true });
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

  /** Known at once, so that a repeat of the call finds it; on disk when the promise resolves. */
  add(task: TaskRecord, overrides: readonly ContainerOverride[]): Promise<void> {
    this.#remember(task);
    this.overrides.set(task.id, overrides);
    return this.save(task);
  }

  /** Writes the present state. Calls for one task are carried out in order. */
  save(task: TaskRecord): Promise<void> {
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

  /** `save` without giving anything else a turn. Only while no `save` of the task is under way. */
  saveNow(task: TaskRecord): void {
    const path = join(this.#dir, `${task.id}.json`);
    writeFileSync(`${path}.tmp`, JSON.stringify(task), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  /** Forgets what stopped long ago. Looks only now and then: it is called at the end of every task. */
  async prune(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = now;
    const stopped = [...this.tasks.values()].filter((t) => t.lastStatus === 'STOPPED' && !this.#writes.has(t.id));
    const newestFirst = stopped.sort((a, b) => (b.stoppedAt ?? 0) - (a.stoppedAt ?? 0));
    const isOld = (t: TaskRecord) => (t.stoppedAt ?? 0) < now - KEEP_MS;
    const forgotten = newestFirst.filter((t, i) => i >= KEEP_COUNT || isOld(t));
    for (const { id, request } of forgotten) {
      this.tasks.delete(id);
      this.overrides.delete(id);
      if (request.token !== undefined) this.#byToken.delete(request.token);
    }
    // With the output goes what the caller had given: nobody asks for it any more.
    const silenced = newestFirst.filter((t, i) => (i >= KEEP_LOGS || isOld(t)) && this.#logs.delete(t.id));
    for (const { id } of silenced) this.overrides.delete(id);
    await Promise.all([
      ...forgotten.map(({ id }) => rm(join(this.#dir, `${id}.json`), { force: true })),
      ...silenced.map(({ id }) => rm(this.logPath(id), { force: true })),
    ]);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes.values());
  }
}
