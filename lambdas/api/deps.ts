import type { LimitsOfOwners } from '../../contract/ownerLimits.ts';
import type { Archive } from '../shared/archive.ts';
import type { ReadAudit, WriteAudit } from '../shared/audit.ts';
import type { DropCaches } from '../shared/caches.ts';
import type { CreateDeps } from '../shared/deployments/createDeps.ts';
import type { OwnDomains } from '../shared/domains/ownDomains.ts';
import type { AppStore } from '../shared/gitHosts/app/appStore.ts';
import type { DeployHookStore } from '../shared/gitHosts/deployHooks.ts';
import type { GitSecretStore } from '../shared/gitHosts/gitSecrets.ts';
import type { GitStateStore } from '../shared/gitHosts/gitState.ts';
import type { HostRules } from '../shared/gitHosts/hostApi.ts';
import type { Analyze } from '../shared/http/analyze.ts';
import type { Authenticate } from '../shared/http/auth.ts';
import type { Mails } from '../shared/notifications/mails.ts';
import type { OwnerStore } from '../shared/people/ownerStore.ts';
import type { MeasureStorage } from '../shared/people/storageUse.ts';
import type { LogChannel, RateLimit, Tickets } from '../shared/ports.ts';
import type { CostStore } from '../shared/projects/costStore.ts';
import type { NoteDeletion } from '../shared/projects/deletions.ts';
import type { ServiceReports } from '../shared/services/servicePort.ts';
import type { AddressesOf } from '../shared/sites/siteAddresses.ts';
import type { UploadStore } from '../shared/uploads/uploadStore.ts';
import type { ReadFiles } from './readFiles.ts';

export interface ApiDeps extends CreateDeps {
  readonly gitSecrets: GitSecretStore;
  readonly gitState: GitStateStore;
  readonly apps: AppStore;
  /** Which APIs of git hosts may be called. */
  readonly hostRules: HostRules;
  readonly deployHooks: DeployHookStore;
  /** An address that notifications may go to. Throws NOTIFICATION_FORBIDDEN. */
  readonly checkNoticeUrl: (text: string) => URL;
  /** E-mail for notifications. Absent: there is none here. */
  readonly mails?: Mails | undefined;
  readonly uploads: UploadStore;
  readonly logs: LogChannel;
  readonly archive: Archive;
  /** Absent: backends are built and no more. */
  readonly services?: ServiceReports | undefined;
  /** How long a deletion can be taken back (ms). */
  readonly deletionGraceMs: number;
  readonly noteDeletion: NoteDeletion;
  readonly audit: WriteAudit;
  readonly readAudit: ReadAudit;
  readonly owners: OwnerStore;
  readonly rateLimit: RateLimit;
  readonly limits: LimitsOfOwners;
  readonly measureStorage: MeasureStorage;
  readonly costs: Pick<CostStore, 'sum'>;
  readonly authenticate: Authenticate;
  readonly tickets: Tickets;
  /**
   * The beginning of links, e.g. `https://api.example`: from configuration or the gateway, never from the Host header.
   */
  readonly linkOrigin: (bindings: unknown) => string;
  /** Where a deployment's site is served. */
  readonly siteAddresses: AddressesOf;
  /** True where repositories are watched, on a laptop. */
  readonly canWatch?: boolean;
  /** Whether the bucket has a key. */
  readonly hasObject: (key: string) => Promise<boolean>;
  readonly readFiles: ReadFiles;
  readonly dropCaches: DropCaches;
  /** Absent where the stage is not set up for domains of projects. */
  readonly ownDomains?: OwnDomains;
  /** Absent where another function answers `POST /analyze`. */
  readonly analyze?: Analyze;
  /** Where clients follow logs, if another function serves them: API Gateway cannot stream. */
  readonly logStreamUrl?: string;
  /** Why the platform cannot work as it should, in one sentence; null where it can. Absent: it always can. */
  readonly health?: () => Promise<string | null>;
}
