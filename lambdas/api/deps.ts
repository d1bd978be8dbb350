import type { AnalyzeRequest } from '../../contract/api.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Archive } from '../shared/archive.ts';
import type { Clock, DeploymentStore, Doorbell, EventBus, JobQueue, LogChannel } from '../shared/ports.ts';
import type { StopBuilds } from '../shared/stopBuilds.ts';
import type { ForbidPublication } from '../shared/verdict.ts';
import type { Authenticate } from './auth.ts';
import type { Supersede } from './supersede.ts';

export interface ApiDeps {
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
  readonly bus: EventBus;
  readonly doorbell: Doorbell;
  readonly logs: LogChannel;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly authenticate: Authenticate;
  /** A new deployment id: unique, and in string order of creation. */
  readonly newId: () => string;
  /** Where a project's site is served. */
  readonly siteUrl: (projectId: string) => Promise<string>;
  /** The URL as git will get it; refuses one that could never be fetched, before anything is accepted. Throws VerenError. */
  readonly normaliseGitUrl: (url: string) => string;
  readonly stopBuilds: StopBuilds;
  readonly forbidPublication: ForbidPublication;
  /** What a deployment does to older ones of its branch. */
  readonly supersede: Supersede;
  /** Absent where another function answers `POST /analyze`. */
  readonly analyze?: (request: AnalyzeRequest) => Promise<Plan>;
  /** Where logs are followed, if not here: API Gateway cannot stream. */
  readonly logStreamUrl?: string;
  readonly log: (message: string, details?: unknown) => void;
}
