import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerenError } from '../../../contract/errors.ts';
import { QUEUES } from '../../../contract/names.ts';
import type {
  Clock,
  DeploymentStore,
  RateLimit,
  Sites,
  Subscriptions,
  Tickets,
} from '../../../lambdas/shared/ports.ts';
import { type MemoryBus, memoryBus } from './bus.ts';
import { type MemoryWaker, memoryWaker } from './functionWaker.ts';
import { openJournal, volatileJournal } from './journal.ts';
import { type MemoryLogs, memoryLogs } from './logs.ts';
import { type MemoryNotifier, memoryNotifier } from './notifier.ts';
import { type MemoryQueue, memoryQueue } from './queue.ts';
import { memoryRateLimit } from './rateLimit.ts';
import { memorySites } from './sites.ts';
import { steadyClock } from './steadyClock.ts';
import { memoryStore } from './store.ts';
import { memorySubscriptions } from './subscriptions.ts';
import { memoryTickets } from './tickets.ts';

export interface MemoryPlatform {
  readonly queue: MemoryQueue;
  readonly store: DeploymentStore;
  readonly logs: MemoryLogs;
  readonly bus: MemoryBus;
  readonly waker: MemoryWaker;
  readonly notifier: MemoryNotifier;
  readonly subscriptions: Subscriptions;
  readonly sites: Sites;
  /** True where the process that had the data folder before did not close it. */
  readonly crashed: boolean;
  /** Tries to write the journal, and returns the error that prevents it; null where writing works. */
  probe(): Promise<VerenError | null>;
  readonly tickets: Tickets;
  readonly rateLimit: RateLimit;
  /**
   * Waits for running work, writes remaining changes and unlocks the data folder. A second call gives the same promise.
   */
  close(): Promise<void>;
}

export interface MemoryPlatformOptions {
  /** Where the journal and the logs live; nothing is kept without it. Made where it is missing. */
  readonly dataDir?: string;
  readonly clock: Clock;
  /**
   * How long functions may run on when it is closed, in milliseconds. What has not ended then is cut off, and its jobs wait
   * for the next start, as if they had not been taken. @default - to their end
   */
  readonly lastRunsMs?: number;
  /** Called when a handler or run has failed; it is tried again. Default: writes to stderr. */
  readonly onError?: (error: unknown) => void;
  /** Called with one sentence when a journal was repaired at the start. */
  readonly onRepair?: (sentence: string) => void;
}

/**
 * All ports in one process. Acknowledged changes survive `kill -9` and a loss of power; log lines survive `kill -9`.
 * @throws VerenError DATA_FOLDER_UNUSABLE, DATA_FOLDER_LOCKED
 */
export async function openMemoryPlatform(options: MemoryPlatformOptions): Promise<MemoryPlatform> {
  const { dataDir, clock, onError = console.error, onRepair = console.error } = options;
  const journal = dataDir === undefined ? volatileJournal() : await openJournal(dataDir, { onRepair });
  const steady = steadyClock(clock);
  const life = journal.table<boolean>('life');
  const crashed = !life.delete('closed');
  const bus = memoryBus(journal, onError);
  const waker = memoryWaker(onError);
  const logs = memoryLogs(dataDir === undefined ? undefined : join(dataDir, 'logs'));
  const queue = memoryQueue(journal, steady);
  let closing: Promise<void> | undefined;
  const endPlatform = async () => {
    const runs = waker.close();
    await bus.close();
    if (!(await endsWithin(runs, options.lastRunsMs))) await giveBack(queue);
    await logs.close();
    life.set('closed', true);
    await journal.close();
  };
  return {
    queue,
    store: memoryStore(journal, steady),
    logs,
    bus,
    waker,
    notifier: memoryNotifier(),
    subscriptions: memorySubscriptions(),
    sites: memorySites(journal),
    crashed,
    probe: () => journal.probe(),
    tickets: memoryTickets(clock),
    rateLimit: memoryRateLimit(clock),
    close: () => (closing ??= endPlatform()),
  };
}

/** False where it goes on after so long. */
async function endsWithin(work: Promise<unknown>, ms: number | undefined): Promise<boolean> {
  const ended = work.then(() => true);
  if (ms === undefined) return ended;
  const late = new AbortController();
  return Promise.race([ended, sleep(ms, false, { signal: late.signal })]).finally(() => late.abort());
}

/** Jobs of functions that are cut off. A build's job is held by its task, whose end says what becomes of it. */
async function giveBack(queue: MemoryQueue): Promise<void> {
  for (const name of Object.values(QUEUES))
    if (name !== QUEUES.build) for (const { id } of await queue.list(name, 'active')) await queue.requeue(name, id, 0);
}
