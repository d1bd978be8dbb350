import { deploymentIds } from '../domain/deploymentIds.ts';
import type { EcsCalls, S3Calls } from '../shared/adapters/aws/clients.ts';
import { openDocuments } from '../shared/documents.ts';
import { openAppStore } from '../shared/gitHosts/app/appStore.ts';
import { appTokens } from '../shared/gitHosts/app/appTokens.ts';
import { openGitSecrets } from '../shared/gitHosts/gitSecrets.ts';
import { openGitState } from '../shared/gitHosts/gitState.ts';
import { openLedgers } from '../shared/gitHosts/reportLedger.ts';
import { limitOwners, type OwnerLimiterDeps } from '../shared/people/limitOwners.ts';
import { measureStorage } from '../shared/people/storageUse.ts';
import { deletionNoter } from '../shared/projects/deletions.ts';
import { projectFinder } from '../shared/projects/findProject.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { openVariableStore } from '../shared/projects/variableStore.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../shared/repo/gitUrl.ts';
import { type ReadTip, tipReader } from '../shared/repo/readTip.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { forbidPublication } from '../shared/verdict.ts';
import type { GitWorkerDeps } from './deps.ts';
import { drainGitQueues } from './drain.ts';

type Given = 'queue' | 'store' | 'bus' | 'waker' | 'clock' | 'secretBox' | 'mails' | 'log';

export interface GitWorkerPorts extends Pick<GitWorkerDeps, Given>, Pick<OwnerLimiterDeps, 'rateLimit'> {
  readonly s3: S3Calls;
  readonly ecs: EcsCalls;
  /** Asks git hosts for refs. @default - by git */
  readonly readTip?: ReadTip;
}

export interface GitWorkerSettings
  extends Pick<GitWorkerDeps, 'supersede' | 'siteAddresses'>,
    Pick<OwnerLimiterDeps, 'limits'> {
  readonly bucket: string;
  /** Which repositories are read. */
  readonly gitPolicy: GitPolicy;
  /** Hosts of self-hosted APIs that reports may be sent to. */
  readonly apiHosts: readonly string[];
}

/** Does what git hosts have said, until nothing is left or `mayTakeMore` is false. @returns true where nothing was left */
export type GitWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeGitWorker(
  { s3, ecs, rateLimit, readTip, ...ports }: GitWorkerPorts,
  { bucket, gitPolicy, apiHosts, limits, supersede, siteAddresses }: GitWorkerSettings,
): GitWorker {
  const { clock, store, queue, log, secretBox: box } = ports;
  const projects = openProjectStore({ s3, bucket, clock });
  const documents = openDocuments(s3, bucket);
  const rules = { policy: gitPolicy, apiHosts };
  const deps: GitWorkerDeps = {
    ...ports,
    projects,
    secrets: openGitSecrets({ documents, box }),
    gitState: openGitState(documents),
    readTip: readTip ?? tipReader(gitPolicy),
    variables: openVariableStore({ s3, bucket, clock }),
    findProject: projectFinder({ projects, store, s3, bucket }),
    limiter: limitOwners({
      ...{ rateLimit, limits, log },
      measureStorage: measureStorage({ s3, bucket, clock, projects }),
    }),
    newId: deploymentIds(clock),
    normaliseGitUrl: (url) => parseGitUrl(url, gitPolicy).href,
    stopBuilds: stopBuilds({ queue, ecs }),
    forbidPublication: forbidPublication({ s3, bucket, clock }),
    noteDeletion: deletionNoter(s3, bucket),
    supersede,
    ledgers: openLedgers(documents),
    rules,
    mintAppToken: appTokens({ apps: openAppStore(documents, box), rules, clock }),
    siteAddresses,
  };
  return (mayTakeMore) => drainGitQueues(deps, mayTakeMore);
}
