import type { SiteAddresses } from '../../../contract/api.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { MintAppToken } from '../../shared/gitHosts/app/appTokens.ts';
import type { GitSecretStore } from '../../shared/gitHosts/gitSecrets.ts';
import type { GitStateStore } from '../../shared/gitHosts/gitState.ts';
import type { HostRules } from '../../shared/gitHosts/hostApi.ts';
import type { LedgerStore } from '../../shared/gitHosts/reportLedger.ts';
import type { Log } from '../../shared/logger.ts';
import type { Clock, DeploymentStore, JobQueue } from '../../shared/ports.ts';
import type { ProjectStore } from '../../shared/projects/projectStore.ts';
import type { AddressedRecord } from '../../shared/sites/siteAddresses.ts';
import type { rememberWaiting } from './rememberWaiting.ts';

/** What the reports of one drain are made with. */
export interface ReportDeps extends DrainReportsDeps {
  readonly listWaiting: ReturnType<typeof rememberWaiting>;
}

export interface DrainReportsDeps {
  readonly queue: JobQueue;
  readonly store: Pick<DeploymentStore, 'get'>;
  readonly projects: Pick<ProjectStore, 'get' | 'change'>;
  readonly secrets: Pick<GitSecretStore, 'read'>;
  readonly mintAppToken: MintAppToken;
  readonly gitState: Pick<GitStateStore, 'read'>;
  readonly ledgers: LedgerStore;
  readonly rules: HostRules;
  readonly siteAddresses: (record: AddressedRecord, project: ProjectDocument) => Promise<SiteAddresses>;
  readonly clock: Clock;
  /** From 0 to 1, for pauses. @default - `Math.random` */
  readonly random?: (() => number) | undefined;
  readonly log: Log;
}
