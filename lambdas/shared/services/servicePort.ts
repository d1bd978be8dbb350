import type { Artifact } from '../../../contract/record.ts';
import type {
  CompleteServiceSettings,
  Cron,
  ServiceCounts,
  ServiceCrash,
  ServiceLogLine,
  ServiceLogQuery,
  ServiceState,
  ServiceVersionId,
} from '../../../contract/services.ts';

/** What runs: an image in the registry, or a folder in the bucket. */
export type ServiceArtifact = Exclude<Artifact, { kind: 'static' }>;

export interface ServiceVersion extends ServiceVersionId {
  readonly projectId: string;
  readonly owner: string;
  readonly artifact: ServiceArtifact;
  readonly settings: CompleteServiceSettings;
  /** The port that its plan says; it is told it by PORT. */
  readonly port: number;
  /** What the running backend sees besides PORT: variables for `run`, opened. Never logged, kept only encrypted. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of those that are secrets: their values are masked in its log. */
  readonly secrets: readonly string[];
}

export interface StartedService {
  readonly state: Extract<ServiceState, 'running' | 'idle' | 'not-run'>;
  /** Where serving reaches this version, as its route says it (`SiteRoute.service.address`). Absent on a laptop. */
  readonly address?: string;
  /** Of `not-run`: why; else how it is run, where that is worth telling. */
  readonly reason?: string;
}

export interface ServiceStatus extends ServiceVersionId {
  readonly state: ServiceState;
  readonly isProduction: boolean;
  readonly reason?: string | undefined;
  readonly crashes?: number | undefined;
  readonly lastCrash?: ServiceCrash | undefined;
  readonly startedAt?: string | undefined;
}

/**
 * Runs backends. The releaser may die between any two calls and repeat them, also at the same time as another releaser:
 * a call that was done already does nothing. A version never changes; its health has been seen when `start` returns.
 */
export interface Services extends ServiceReports {
  /**
   * Makes a version reachable and waits until it has answered its health path. Beside it, other versions go on. One that
   * was healthy once is only made sure to be there still, and not checked again. Throws `ServiceFault` for what is
   * wrong with the backend, and then nothing of the version is left; SERVICE_START_FAILED (transient) for the platform.
   */
  start(version: ServiceVersion): Promise<StartedService>;
  /**
   * Which version production's addresses show from now on, right before their routes are written; null: none. It is
   * kept ready (`always-on`), and the one before may wait, but stays reachable until it is removed.
   */
  switchProduction(projectId: string, version: ServiceVersionId | null): Promise<void>;
  /** Calls by schedule on what production shows: these and no others. */
  schedule(projectId: string, crons: readonly Cron[]): Promise<void>;
  /** Nothing of a deployment's versions, or of one of them, is left; without a deployment, nothing of the project. */
  remove(projectId: string, deploymentId?: string, variables?: number): Promise<void>;
}

export interface ServiceReports {
  /** Versions that were started and not removed, newest deployment first. */
  list(projectId: string): Promise<ServiceStatus[]>;
  /** Lines that fit, oldest first, at most `limit`: those after `after`, else the last ones. */
  readLog(projectId: string, query: Omit<ServiceLogQuery, 'follow'>): Promise<ServiceLogLine[]>;
  counts(projectId: string): Promise<ServiceCounts>;
}
