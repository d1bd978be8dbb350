import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../shared/adapters/aws/urlSigner.ts';
import { openBuildIndex } from '../shared/buildIndex.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { type PackDeps, uploadPacks } from './packUpload.ts';
import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

export interface CloneWorkerPorts extends Omit<CloneWorkerDeps, 'projects' | 'builds' | 'builders' | 'openUploadPack'> {
  readonly s3: S3Calls;
  /** Signs where packs of uploads are read. */
  readonly urlSigner: UrlSigner;
}

export interface CloneWorkerSettings extends Pick<PackDeps, 'gitPolicy' | 'workDir'> {
  readonly bucket: string;
  readonly builders: string;
}

/** Analyzes waiting deployments until none is left or `mayTakeMore` is false. @returns true where none was left */
export type CloneWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeCloneWorker(
  { s3, urlSigner, ...ports }: CloneWorkerPorts,
  { bucket, builders, ...packing }: CloneWorkerSettings,
): CloneWorker {
  const projects = openProjectStore({ s3, bucket, clock: ports.clock });
  const openUploadPack = uploadPacks({ s3, urlSigner, bucket, clock: ports.clock, ...packing });
  const deps = { ...ports, projects, openUploadPack, builds: openBuildIndex(s3, bucket), builders };
  return (mayTakeMore) => drainCloneQueue(deps, mayTakeMore);
}
