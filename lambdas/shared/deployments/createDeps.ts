import type { NewId } from '../../domain/deploymentIds.ts';
import type { Supersede } from '../../domain/supersede.ts';
import type { Log } from '../logger.ts';
import type { OwnerLimiter } from '../people/limitOwners.ts';
import type { Clock, DeploymentStore, EventBus, FunctionWaker, JobQueue } from '../ports.ts';
import type { FindProject } from '../projects/findProject.ts';
import type { ProjectStore } from '../projects/projectStore.ts';
import type { VariableStore } from '../projects/variableStore.ts';
import type { SecretBox } from '../secretBox.ts';
import type { StopBuilds } from '../stopBuilds.ts';
import type { ForbidPublication } from '../verdict.ts';

/** What making a deployment needs. */
export interface CreateDeps {
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
  readonly bus: EventBus;
  readonly waker: FunctionWaker;
  readonly projects: ProjectStore;
  readonly variables: VariableStore;
  readonly findProject: FindProject;
  readonly limiter: OwnerLimiter;
  readonly clock: Clock;
  readonly secretBox: SecretBox;
  readonly newId: NewId;
  /**
   * The URL in the form that git gets. Throws VerenError for one that could never be fetched, before the request is
   * accepted.
   */
  readonly normaliseGitUrl: (url: string) => string;
  readonly stopBuilds: StopBuilds;
  readonly forbidPublication: ForbidPublication;
  /** Which older deployments of its branch a new deployment cancels. */
  readonly supersede: Supersede;
  readonly log: Log;
}
