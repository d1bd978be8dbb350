import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { s3Archive } from '../shared/archive.ts';
import { type ArtifactPlaces, artifactFinder, storedFinder } from '../shared/artifact.ts';
import { openAudit } from '../shared/audit.ts';
import { openDocuments } from '../shared/documents.ts';
import type { DomainPorts } from '../shared/domains/domainPorts.ts';
import { openOwnDomains } from '../shared/domains/ownDomains.ts';
import type { Measure } from '../shared/metrics.ts';
import type { Mails } from '../shared/notifications/mails.ts';
import type { LogChannel, Sites } from '../shared/ports.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { openVariableStore } from '../shared/projects/variableStore.ts';
import type { Services } from '../shared/services/servicePort.ts';
import { measureQueues } from './measure.ts';
import type { WatcherDeps } from './reconcile.ts';
import type { RemoveImages } from './sweepDeps.ts';
import { projectSweep, type RetentionSettings } from './sweepProjects.ts';
import { isStateChange, watchTasks } from './watch.ts';

type Given = 'queue' | 'store' | 'bus' | 'waker' | 'clock' | 'ecs' | 'log';

export interface WatcherPorts extends Pick<WatcherDeps, Given> {
  readonly s3: S3Calls;
  /** @default - images are not looked for */
  readonly findImage?: ArtifactPlaces['findImage'];
  readonly logs: LogChannel;
  /** @default - images stay where they are */
  readonly removeImages?: RemoveImages;
  /** @default - backends are not run */
  readonly services?: Pick<Services, 'remove'> | undefined;
  /** @default - nothing is sent by e-mail */
  readonly mails?: Pick<Mails, 'remove'> | undefined;
  /** @default - no host names are kept */
  readonly sites?: Sites;
  /** @default - the platform has no own domains of projects */
  readonly domainPorts?: DomainPorts | undefined;
  /** Where the queues are measured after each run. @default - nowhere */
  readonly measure?: Measure;
}

export interface WatcherSettings extends Pick<WatcherDeps, 'timeoutSeconds' | 'clusters' | 'accounts'> {
  readonly bucket: string;
  readonly retention?: RetentionSettings;
}

/** Handles a state change of ECS; any other event counts as the schedule. */
export type TaskWatcher = (event: unknown) => Promise<void>;

export function composeTaskWatcher(
  {
    s3,
    findImage,
    measure,
    logs,
    removeImages = async () => 0,
    services,
    mails,
    sites,
    domainPorts,
    ...ports
  }: WatcherPorts,
  { bucket, retention = {}, ...settings }: WatcherSettings,
): TaskWatcher {
  const findArtifact = artifactFinder({ s3, bucket, ...(findImage && { findImage }) });
  const findStored = storedFinder({ s3, bucket });
  const deps: WatcherDeps = { ...ports, ...settings, findArtifact, findStored };
  const storage = { s3, bucket, clock: ports.clock };
  const projects = openProjectStore(storage);
  const ownDomains =
    domainPorts &&
    openOwnDomains({ ...domainPorts, documents: openDocuments(s3, bucket), projects, clock: ports.clock });
  const sweepProjects = projectSweep(
    {
      ...{
        ...ports,
        ...storage,
        logs,
        removeImages,
        ...(services && { services }),
        mails,
        ...(sites && { sites }),
        ...(ownDomains && { ownDomains }),
      },
      ...{ archive: s3Archive(s3, bucket), projects, audit: openAudit(storage) },
      variables: openVariableStore(storage),
    },
    retention,
  );
  return async (event) => {
    await watchTasks(deps, event);
    if (!isStateChange(event)) await sweepProjects();
    if (measure) await measureQueues(deps, measure);
  };
}
