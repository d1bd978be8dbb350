import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import type { Archive } from '../shared/archive.ts';
import type { WriteAudit } from '../shared/audit.ts';
import type { OwnDomains } from '../shared/domains/ownDomains.ts';
import type { Log } from '../shared/logger.ts';
import type { Mails } from '../shared/notifications/mails.ts';
import type { Clock, DeploymentStore, EventBus, JobQueue, LogChannel, Sites } from '../shared/ports.ts';
import type { ProjectStore } from '../shared/projects/projectStore.ts';
import type { VariableStore } from '../shared/projects/variableStore.ts';
import type { Services } from '../shared/services/servicePort.ts';

/** Removes the images of these deployments, where there are any. @returns how many there were */
export type RemoveImages = (projectId: string, deploymentIds: readonly string[]) => Promise<number>;

/** What removing projects and expired deployments needs. */
export interface SweepDeps {
  readonly projects: ProjectStore;
  readonly variables: Pick<VariableStore, 'sweep'>;
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
  readonly logs: LogChannel;
  readonly bus: EventBus;
  readonly archive: Archive;
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly clock: Clock;
  readonly audit: WriteAudit;
  readonly removeImages: RemoveImages;
  /** Absent: backends are not run. */
  readonly services?: Pick<Services, 'remove'>;
  /** Absent: there is no e-mail here. */
  readonly mails?: Pick<Mails, 'remove'> | undefined;
  /** Absent: no host names are kept anywhere. */
  readonly sites?: Sites;
  /** Absent: projects have no domains of their own. */
  readonly ownDomains?: Pick<OwnDomains, 'remove' | 'sweep'>;
  readonly log: Log;
}
