import { s3Keys } from '../../contract/names.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { MAX_MANIFEST_BYTES } from '../shared/artifact.ts';
import { openAudit } from '../shared/audit.ts';
import { listObjects } from '../shared/listObjects.ts';
import { adoptProject } from '../shared/projects/adoptProject.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { bucketObjects } from './bucketObjects.ts';
import type { ReleaserDeps } from './deps.ts';
import { drainReleases } from './drain.ts';

type Given =
  | 'runner'
  | 'queue'
  | 'waker'
  | 'store'
  | 'sites'
  | 'subscriptions'
  | 'notifier'
  | 'clock'
  | 'log'
  | 'ownDomains';

export interface ReleaserPorts extends Pick<ReleaserDeps, Given> {
  readonly s3: S3Calls;
}

/** Does what waits until nothing is left or `mayTakeMore` is false. @returns true where nothing was left */
export type Releaser = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeReleaser({ s3, ...ports }: ReleaserPorts, { bucket }: { readonly bucket: string }): Releaser {
  const { clock } = ports;
  const projects = openProjectStore({ s3, bucket, clock });
  const deps: ReleaserDeps = {
    ...ports,
    projects,
    adoptProject: (project) => adoptProject({ projects, store: ports.store, s3, bucket }, project),
    audit: openAudit({ s3, bucket, clock }),
    objects: bucketObjects(s3, bucket, MAX_MANIFEST_BYTES),
    listProjects: () => listProjectIds(s3, bucket),
  };
  return (mayTakeMore) => drainReleases(deps, mayTakeMore);
}

async function* listProjectIds(s3: S3Calls, bucket: string): AsyncGenerator<string> {
  // A key is a prefix, the id and an extension; the key of an id that cannot exist shows both ends.
  const [prefix = '', extension = ''] = s3Keys.project('\0').split('\0');
  for await (const { Key = '' } of listObjects(s3, bucket, prefix))
    if (Key.endsWith(extension)) yield Key.slice(prefix.length, -extension.length);
}
