import { Cron as CronTimer } from 'croner';
import type { Cron } from '../../contract/services.ts';
import { callPath } from './cronCall.ts';
import type { Lease } from './localServices.ts';

/** Calls what production shows by schedule, in UTC. A call that comes while the one before has not ended is left out. */
export class CronTimers {
  readonly #lease: (projectId: string) => Promise<Lease | null>;
  readonly #say: (projectId: string, line: string) => void;
  readonly #timers = new Map<string, { readonly crons: string; readonly timers: readonly CronTimer[] }>();

  constructor(lease: (projectId: string) => Promise<Lease | null>, say: (projectId: string, line: string) => void) {
    this.#lease = lease;
    this.#say = say;
  }

  /** These and no others. */
  set(projectId: string, crons: readonly Cron[]): void {
    const known = this.#timers.get(projectId);
    const text = JSON.stringify(crons);
    if ((known?.crons ?? '[]') === text) return;
    for (const timer of known?.timers ?? []) timer.stop();
    this.#timers.delete(projectId);
    if (crons.length === 0) return;
    const options = { timezone: 'UTC', mode: '5-part', protect: true, unref: true } as const;
    const timers = crons.map(
      (cron) => new CronTimer(cron.schedule, { ...options, catch: () => undefined }, () => this.#call(projectId, cron)),
    );
    this.#timers.set(projectId, { crons: text, timers });
  }

  close(): void {
    for (const { timers } of this.#timers.values()) for (const timer of timers) timer.stop();
    this.#timers.clear();
  }

  async #call(projectId: string, { schedule, path }: Cron): Promise<void> {
    const began = Date.now();
    try {
      const lease = await this.#lease(projectId);
      if (!lease) return;
      const status = await callPath(lease, path, schedule).finally(() => lease.release());
      this.#say(projectId, `Cron ${schedule} ${path}: ${status} after ${Date.now() - began} ms`);
    } catch (error) {
      this.#say(projectId, `Cron ${schedule} ${path}: ${(error as Error).message}`);
    }
  }
}
