import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { type ArtifactPlaces, artifactFinder, storedFinder } from '../shared/artifact.ts';
import type { Measure } from '../shared/metrics.ts';
import { measureQueues } from './measure.ts';
import type { WatcherDeps } from './reconcile.ts';
import { watchTasks } from './watch.ts';

type Given = 'queue' | 'store' | 'bus' | 'waker' | 'clock' | 'ecs' | 'log';

export interface WatcherPorts extends Pick<WatcherDeps, Given> {
  readonly s3: S3Calls;
  /** @default - images are not looked for */
  readonly findImage?: ArtifactPlaces['findImage'];
  /** Where the queues are measured after each run. @default - nowhere */
  readonly measure?: Measure;
}

export interface WatcherSettings extends Pick<WatcherDeps, 'timeoutSeconds' | 'clusters'> {
  readonly bucket: string;
}

/** Handles a state change of ECS; any other event counts as the schedule. */
export type TaskWatcher = (event: unknown) => Promise<void>;

export function composeTaskWatcher(
  { s3, findImage, measure, ...ports }: WatcherPorts,
  { bucket, ...settings }: WatcherSettings,
): TaskWatcher {
  const findArtifact = artifactFinder({ s3, bucket, ...(findImage && { findImage }) });
  const findStored = storedFinder({ s3, bucket });
  const deps: WatcherDeps = { ...ports, ...settings, findArtifact, findStored };
  return async (event) => {
    await watchTasks(deps, event);
    if (measure) await measureQueues(deps, measure);
  };
}
