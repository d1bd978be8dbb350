import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { openBuildIndex } from '../shared/buildIndex.ts';
import { openDocuments } from '../shared/documents.ts';
import { openAppStore } from '../shared/gitHosts/app/appStore.ts';
import { appTokens } from '../shared/gitHosts/app/appTokens.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

export interface CloneWorkerPorts extends Omit<CloneWorkerDeps, 'projects' | 'builds' | 'builders' | 'mintAppToken'> {
  readonly s3: S3Calls;
}

/** Analyzes waiting deployments until none is left or `mayTakeMore` is false. @returns true where none was left */
export type CloneWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeCloneWorker(
  { s3, ...ports }: CloneWorkerPorts,
  {
    bucket,
    builders,
    gitPolicy,
  }: { readonly bucket: string; readonly builders: string; readonly gitPolicy: GitPolicy },
): CloneWorker {
  const projects = openProjectStore({ s3, bucket, clock: ports.clock });
  const apps = openAppStore(openDocuments(s3, bucket), ports.secretBox);
  const mintAppToken = appTokens({ apps, rules: { policy: gitPolicy }, clock: ports.clock });
  const deps: CloneWorkerDeps = { ...ports, projects, builds: openBuildIndex(s3, bucket), builders, mintAppToken };
  return (mayTakeMore) => drainCloneQueue(deps, mayTakeMore);
}
