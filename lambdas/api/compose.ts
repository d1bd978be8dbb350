import { deploymentIds } from '../domain/deploymentIds.ts';
import type { EcsCalls, S3Calls } from '../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../shared/adapters/aws/urlSigner.ts';
import { type Archive, s3Archive } from '../shared/archive.ts';
import { openAudit, openAuditReader } from '../shared/audit.ts';
import { dropCaches } from '../shared/caches.ts';
import { openDocuments } from '../shared/documents.ts';
import type { DomainPorts } from '../shared/domains/domainPorts.ts';
import { openOwnDomains } from '../shared/domains/ownDomains.ts';
import { openAppStore } from '../shared/gitHosts/app/appStore.ts';
import { openDeployHooks } from '../shared/gitHosts/deployHooks.ts';
import { openGitSecrets } from '../shared/gitHosts/gitSecrets.ts';
import { openGitState } from '../shared/gitHosts/gitState.ts';
import type { Api } from '../shared/http/guard.ts';
import { checkNoticeUrl } from '../shared/notifications/noticeAddress.ts';
import { limitOwners } from '../shared/people/limitOwners.ts';
import { measureStorage } from '../shared/people/storageUse.ts';
import { openCostStore } from '../shared/projects/costStore.ts';
import { DELETION_GRACE_MS, deletionNoter } from '../shared/projects/deletions.ts';
import { projectFinder } from '../shared/projects/findProject.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { openVariableStore } from '../shared/projects/variableStore.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../shared/repo/gitUrl.ts';
import type { ServiceReports } from '../shared/services/servicePort.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { openUploads } from '../shared/uploads/uploadStore.ts';
import { forbidPublication } from '../shared/verdict.ts';
import { createApi } from './app.ts';
import type { ApiDeps } from './deps.ts';
import { objectFinder } from './hasObject.ts';
import { filesReader } from './readFiles.ts';

type Given =
  | 'store'
  | 'queue'
  | 'bus'
  | 'waker'
  | 'logs'
  | 'tickets'
  | 'clock'
  | 'authenticate'
  | 'owners'
  | 'secretBox'
  | 'rateLimit'
  | 'log';

export interface ApiPorts extends Pick<ApiDeps, Given> {
  readonly s3: S3Calls;
  readonly ecs: EcsCalls;
  /** Signs where files of uploads are sent. */
  readonly urlSigner: UrlSigner;
  /** @default - the one in the bucket */
  readonly archive?: Archive;
  /** What runs of backends. @default - they are built and no more */
  readonly services?: ServiceReports | undefined;
  /** @default - notifications by e-mail are refused */
  readonly mails?: ApiDeps['mails'];
  /** What projects' own domains need. @default - the stage is not set up for them */
  readonly domainPorts?: DomainPorts | undefined;
}

export interface ApiSettings
  extends Pick<
    ApiDeps,
    'linkOrigin' | 'siteAddresses' | 'supersede' | 'limits' | 'analyze' | 'logStreamUrl' | 'health' | 'canWatch'
  > {
  readonly bucket: string;
  /** @default - a week */
  readonly deletionGraceMs?: number;
  /** Which repositories are accepted. */
  readonly gitPolicy: GitPolicy;
  /** Hosts of self-hosted APIs of git hosts that may be called. @default - none */
  readonly apiHosts?: readonly string[] | undefined;
}

export function composeApi(
  { domainPorts, urlSigner, ...ports }: ApiPorts,
  { bucket, gitPolicy, apiHosts = [], deletionGraceMs = DELETION_GRACE_MS, ...settings }: ApiSettings,
): Api {
  const { s3, ecs, queue, store, clock } = ports;
  const projects = openProjectStore({ s3, bucket, clock });
  const measure = measureStorage({ s3, bucket, clock, projects });
  const documents = openDocuments(s3, bucket);
  const apps = openAppStore(documents, ports.secretBox);
  const hostRules = { policy: gitPolicy, apiHosts };
  return createApi({
    ...ports,
    ...settings,
    archive: ports.archive ?? s3Archive(s3, bucket),
    projects,
    measureStorage: measure,
    costs: openCostStore(documents),
    limiter: limitOwners({ ...ports, limits: settings.limits, measureStorage: measure }),
    gitSecrets: openGitSecrets({ documents, box: ports.secretBox }),
    gitState: openGitState(documents),
    ...{ apps, hostRules },
    deployHooks: openDeployHooks(documents),
    uploads: openUploads({ s3, bucket, clock, urlSigner }),
    variables: openVariableStore({ s3, bucket, clock }),
    findProject: projectFinder({ projects, store, s3, bucket }),
    noteDeletion: deletionNoter(s3, bucket),
    deletionGraceMs,
    ...(domainPorts && { ownDomains: openOwnDomains({ ...domainPorts, documents, projects, clock }) }),
    audit: openAudit({ s3, bucket, clock }),
    readAudit: openAuditReader({ s3, bucket }),
    newId: deploymentIds(clock),
    normaliseGitUrl: (url) => parseGitUrl(url, gitPolicy).href,
    checkNoticeUrl: (text) => checkNoticeUrl(text, gitPolicy),
    stopBuilds: stopBuilds({ queue, ecs }),
    dropCaches: dropCaches(s3, bucket),
    hasObject: objectFinder(s3, bucket),
    readFiles: filesReader(s3, bucket),
    forbidPublication: forbidPublication({ s3, bucket, clock }),
  });
}
