import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';
import type { ContainerOverride, TaskRecord } from './task.ts';

/** As long as ECS shows stopped tasks, and at most so many. */
const KEEP_MS = 3_600_000;
const KEEP_COUNT = 1_000;

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
      if (name.endsWith('.tmp')) await rm(join(dir, name), { force: true });
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

  /** Forgets what stopped long ago. */
  async prune(): Promise<void> {
    const stopped = [...this.tasks.values()].filter((t) => t.lastStatus === 'STOPPED' && !this.#writes.has(t.id));
    const byAge = stopped.sort((a, b) => (b.stoppedAt ?? 0) - (a.stoppedAt ?? 0));
    const oldest = this.#clock.now() - KEEP_MS;
    const expired = byAge.filter((t, i) => i >= KEEP_COUNT || (t.stoppedAt ?? 0) < oldest);
    for (const { id, request } of expired) {
      this.tasks.delete(id);
      this.overrides.delete(id);
      if (request.token !== undefined) this.#byToken.delete(request.token);
    }
    await Promise.all(
      expired.flatMap(({ id }) => [
        rm(join(this.#dir, `${id}.json`), { force: true }),
        rm(this.logPath(id), { force: true }),
      ]),
    );
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes.values());
  }
}
