import type { MSKEvent } from 'aws-lambda';
import { VerenError } from '../../contract/errors.ts';
import type { EcsCalls, S3Calls } from '../shared/adapters/aws/clients.ts';
import { type Archive, s3Archive } from '../shared/archive.ts';
import { openBuildIndex } from '../shared/buildIndex.ts';
import { openDocuments } from '../shared/documents.ts';
import { makeLogArchiver } from '../shared/logs/makeLogArchiver.ts';
import type { Measure } from '../shared/metrics.ts';
import { openCostStore } from '../shared/projects/costStore.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { createGiveUp } from './giveUp.ts';
import { measuredStore } from './measuredStore.ts';
import { parkInBucket } from './park.ts';
import { type BatchResult, type ProjectorDeps, projectBatch } from './project.ts';
import { countRefused } from './refuse.ts';
import { rememberConnected } from './rememberConnected.ts';

type Given = 'queue' | 'store' | 'logs' | 'subscriptions' | 'notifier' | 'waker' | 'signing' | 'clock' | 'log';

export interface ProjectorPorts extends Pick<ProjectorDeps, Given> {
  readonly s3: S3Calls;
  readonly ecs: EcsCalls;
  readonly measure: Measure;
  /** @default - the one in the bucket */
  readonly archive?: Archive;
  /** @default - writes the hot log into the archive */
  readonly archiveLog?: ProjectorDeps['archiveLog'];
  /** @default - keeps it in the bucket */
  readonly park?: ProjectorDeps['park'];
}

export interface ProjectorSettings extends Pick<ProjectorDeps, 'place' | 'maxClockSkewMs'> {
  /** What is delivered again after a failure. @default - the messages that the answer names */
  readonly redelivery?: 'messages' | 'batch';
}

/**
 * Projects one batch of messages.
 * @returns the messages that have to be delivered again
 * @throws VerenError UNAVAILABLE in their place, where whole batches are: an answer would count as success
 */
export type Projector = (event: Pick<MSKEvent, 'records'>) => Promise<BatchResult>;

export function composeProjector(ports: ProjectorPorts, settings: ProjectorSettings): Projector {
  const { s3, ecs, queue, logs, measure, log, clock } = ports;
  const { bucket } = settings.place;
  const projects = openProjectStore({ s3, bucket, clock });
  const archive = ports.archive ?? s3Archive(s3, bucket);
  const { redelivery = 'messages', ...projection } = settings;
  const park = ports.park ?? parkInBucket(s3, bucket, measure);
  const documents = openDocuments(s3, bucket);
  const deps: ProjectorDeps = {
    ...ports,
    ...projection,
    archive,
    store: measuredStore(ports.store, measure),
    archiveLog: ports.archiveLog ?? makeLogArchiver({ logs, archive }),
    noteBuild: openBuildIndex(s3, bucket).note,
    costs: openCostStore(documents),
    stopBuilds: stopBuilds({ queue, ecs }),
    isConnected: rememberConnected(projects, clock),
    // Not remembered, since it is asked once for a deployment. Where it cannot be read it is left to the worker.
    hasNotifications: (projectId) =>
      projects.get(projectId).then(
        (project) => (project?.notifications?.length ?? 0) > 0,
        () => true,
      ),
    park,
    ...(redelivery === 'batch' && { giveUp: createGiveUp({ documents, store: ports.store, park, clock, log }) }),
    refuse: countRefused(measure, log, clock),
  };
  return async (event) => {
    const result = await projectBatch(deps, event);
    if (redelivery === 'batch' && result.batchItemFailures.length > 0)
      throw new VerenError('UNAVAILABLE', { reason: 'a batch of events could not be projected' });
    return result;
  };
}
