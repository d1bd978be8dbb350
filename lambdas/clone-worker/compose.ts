import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

/** Analyzes waiting deployments until none is left or `mayTakeMore` is false. @returns true where none was left */
export type CloneWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export const composeCloneWorker =
  (ports: CloneWorkerDeps): CloneWorker =>
  (mayTakeMore) =>
    drainCloneQueue(ports, mayTakeMore);
