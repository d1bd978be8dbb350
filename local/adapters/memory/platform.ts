import { join } from 'node:path';
import type { VerenError } from '../../../contract/errors.ts';
import type { Clock, DeploymentStore, Subscriptions, Tickets } from '../../../lambdas/shared/ports.ts';
import { type MemoryBus, memoryBus } from './bus.ts';
import { type MemoryWaker, memoryWaker } from './functionWaker.ts';
import { openJournal, volatileJournal } from './journal.ts';
import { type MemoryLogs, memoryLogs } from './logs.ts';
import { type MemoryNotifier, memoryNotifier } from './notifier.ts';
import { type MemoryQueue, memoryQueue } from './queue.ts';
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
  /** The process that had the data folder before did not close it. */
  readonly crashed: boolean;
  /** What keeps the journal from being written, tried anew; null where nothing does. */
  probe(): Promise<VerenError | null>;
  readonly tickets: Tickets;
  /** Waits for what is running, writes what is left and lets the data folder go. Again: the same close. */
  close(): Promise<void>;
}

export interface MemoryPlatformOptions {
  /** Where the journal and the logs live; nothing is kept without it. Made where it is missing. */
  readonly dataDir?: string;
  readonly clock: Clock;
  /** Told of a handler or run that failed; it is tried again. Default: written to stderr. */
  readonly onError?: (error: unknown) => void;
  /** Told, in one sentence, of a journal that was repaired at the start. */
  readonly onRepair?: (sentence: string) => void;
}

/**
 * All ports in one process. What was acknowledged survives `kill -9` and a loss of power; log lines survive `kill -9`.
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
  let closing: Promise<void> | undefined;
  const endPlatform = async () => {
    await Promise.all([bus.close(), waker.close()]);
    await logs.close();
    life.set('closed', true);
    await journal.close();
  };
  return {
    queue: memoryQueue(journal, steady),
    store: memoryStore(journal, steady),
    logs,
    bus,
    waker,
    notifier: memoryNotifier(),
    subscriptions: memorySubscriptions(),
    crashed,
    probe: () => journal.probe(),
    tickets: memoryTickets(clock),
    close: () => (closing ??= endPlatform()),
  };
}
