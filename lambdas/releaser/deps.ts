import type { CopyObjects } from '../../builder-images/builder-image-frontend/utils/promote.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { WriteAudit } from '../shared/audit.ts';
import type { Log } from '../shared/logger.ts';
import type {
  Clock,
  DeploymentStore,
  FunctionWaker,
  JobQueue,
  Notifier,
  Sites,
  Subscriptions,
} from '../shared/ports.ts';
import type { EarlierProject } from '../shared/projects/adoptProject.ts';
import type { ProjectStore } from '../shared/projects/projectStore.ts';
import type { ServiceRunner } from './services.ts';

export interface ReleaserDeps {
  readonly queue: JobQueue;
  /** Wakes who tells the outside of releases. */
  readonly waker: FunctionWaker;
  readonly store: DeploymentStore;
  readonly projects: ProjectStore;
  /** The project of a deployment; null where it was deleted. */
  readonly adoptProject: (project: EarlierProject) => Promise<ProjectDocument | null>;
  readonly sites: Sites;
  readonly objects: CopyObjects;
  readonly subscriptions: Subscriptions;
  readonly notifier: Notifier;
  readonly audit: WriteAudit;
  readonly clock: Clock;
  /** Hosts that show production besides the project's own label. @default - none */
  readonly ownDomains?: ((project: ProjectDocument) => Promise<readonly string[]>) | undefined;
  /** Ids of all projects. */
  readonly listProjects: () => AsyncIterable<string>;
  /** Runs backends. Absent: the platform builds them and does no more. */
  readonly runner?: ServiceRunner | undefined;
  readonly log: Log;
}
