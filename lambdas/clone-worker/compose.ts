import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../shared/adapters/aws/urlSigner.ts';
import { openBuildIndex } from '../shared/buildIndex.ts';
import { openDocuments } from '../shared/documents.ts';
import { openAppStore } from '../shared/gitHosts/app/appStore.ts';
import { appTokens } from '../shared/gitHosts/app/appTokens.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { type PackDeps, uploadPacks } from './packUpload.ts';
import { type CloneWorkerDeps, drainCloneQueue } from './workers/clone.ts';

type Made = 'projects' | 'builds' | 'builders' | 'mintAppToken' | 'openUploadPack';

export interface CloneWorkerPorts extends Omit<CloneWorkerDeps, Made> {
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
  const { clock, secretBox } = ports;
  const projects = openProjectStore({ s3, bucket, clock });
  const apps = openAppStore(openDocuments(s3, bucket), secretBox);
  const mintAppToken = appTokens({ apps, rules: { policy: packing.gitPolicy }, clock });
  const openUploadPack = uploadPacks({ s3, urlSigner, bucket, clock, ...packing });
  const builds = openBuildIndex(s3, bucket);
  const deps: CloneWorkerDeps = { ...ports, projects, builds, builders, mintAppToken, openUploadPack };
  return (mayTakeMore) => drainCloneQueue(deps, mayTakeMore);
}
