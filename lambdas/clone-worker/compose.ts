import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { openBuildIndex } from '../shared/buildIndex.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

export interface CloneWorkerPorts extends Omit<CloneWorkerDeps, 'projects' | 'builds' | 'builders'> {
  readonly s3: S3Calls;
}

/** Analyzes waiting deployments until none is left or `mayTakeMore` is false. @returns true where none was left */
export type CloneWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeCloneWorker(
  { s3, ...ports }: CloneWorkerPorts,
  { bucket, builders }: { readonly bucket: string; readonly builders: string },
): CloneWorker {
  const projects = openProjectStore({ s3, bucket, clock: ports.clock });
  const deps: CloneWorkerDeps = { ...ports, projects, builds: openBuildIndex(s3, bucket), builders };
  return (mayTakeMore) => drainCloneQueue(deps, mayTakeMore);
}
