import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

/** Analyzes what waits, until nothing does or `mayTakeMore` says no; gives whether nothing was left. */
export type CloneWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export const composeCloneWorker =
  (ports: CloneWorkerDeps): CloneWorker =>
  (mayTakeMore) =>
    drainCloneQueue(ports, mayTakeMore);
