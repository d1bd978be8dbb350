import type { SiteAddresses } from '../../contract/api.ts';
import type { NewId } from '../domain/deploymentIds.ts';
import type { Supersede } from '../domain/supersede.ts';
import type { Archive } from '../shared/archive.ts';
import type { DropCaches } from '../shared/caches.ts';
import type { Analyze } from '../shared/http/analyze.ts';
import type { Authenticate } from '../shared/http/auth.ts';
import type { Log } from '../shared/logger.ts';
import type {
  Clock,
  DeploymentStore,
  EventBus,
  FunctionWaker,
  JobQueue,
  LogChannel,
  Tickets,
} from '../shared/ports.ts';
import type { SecretBox } from '../shared/secretBox.ts';
import type { StopBuilds } from '../shared/stopBuilds.ts';
import type { ForbidPublication } from '../shared/verdict.ts';

export interface ApiDeps {
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
  readonly bus: EventBus;
  readonly waker: FunctionWaker;
  readonly logs: LogChannel;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly authenticate: Authenticate;
  readonly tickets: Tickets;
  readonly secretBox: SecretBox;
  readonly newId: NewId;
  /**
   * The beginning of links, e.g. `https://api.example`: from configuration or the gateway, never from the Host header.
   */
  readonly linkOrigin: (bindings: unknown) => string;
  /** Where a deployment's site is served. */
  readonly siteAddresses: (projectId: string, deploymentId: string) => Promise<SiteAddresses>;
  /**
   * The URL in the form that git gets. Throws VerenError for one that could never be fetched, before the request is
   * accepted.
   */
  readonly normaliseGitUrl: (url: string) => string;
  readonly stopBuilds: StopBuilds;
  readonly forbidPublication: ForbidPublication;
  readonly dropCaches: DropCaches;
  /** Which older deployments of its branch a new deployment cancels. */
  readonly supersede: Supersede;
  /** Absent where another function answers `POST /analyze`. */
  readonly analyze?: Analyze;
  /** Where clients follow logs, if another function serves them: API Gateway cannot stream. */
  readonly logStreamUrl?: string;
  /** Why the platform cannot work as it should, in one sentence; null where it can. Absent: it always can. */
  readonly health?: () => Promise<string | null>;
  readonly log: Log;
}
