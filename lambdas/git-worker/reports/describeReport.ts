import type { SiteAddresses } from '../../../contract/api.ts';
import { TARGETS } from '../../../contract/builders.ts';
import type { CommitReport, CommitState } from '../../../contract/gitHosts.ts';
import { buildJobId, cloneJobId } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import {
  DEPLOYMENT_STATUSES,
  type DeploymentRecord,
  type DeploymentStatus,
  isTerminal,
} from '../../../contract/record.ts';
import { environmentOf } from '../../domain/shown.ts';
import type { StoredDeployment } from '../../shared/ports.ts';
import type { ReportDeps } from './deps.ts';

const STATES: Readonly<Record<DeploymentStatus, CommitState>> = {
  queued: 'pending',
  analyzing: 'pending',
  building: 'pending',
  succeeded: 'success',
  failed: 'failure',
  canceled: 'canceled',
};

/** How far a deployment is; states of one rank exclude each other, and nothing follows an end. */
export const rankOfStatus = (status: DeploymentStatus): number =>
  isTerminal(status) ? 3 : DEPLOYMENT_STATUSES.indexOf(status);

/**
 * Name of a project's status: the same for all of its deployments, so that the newest replaces the others. Those of
 * forks have another one: a stranger who proposes a commit of ours must not replace what it says.
 */
export const contextOf = (projectId: string, isFork: boolean): string => `veren/${projectId}${isFork ? '/fork' : ''}`;

/** The commit that is reported to: the one that was named, else the one that was found. */
export const commitOf = ({ trigger, commit }: DeploymentRecord): string | undefined =>
  trigger?.commit ?? commit ?? undefined;

/** What a git host is told of a deployment. */
export async function describeReport(
  deps: Pick<ReportDeps, 'listWaiting'>,
  { record, facts }: StoredDeployment,
  addresses: SiteAddresses | null,
): Promise<Omit<CommitReport, 'commit'>> {
  const url = record.status === 'succeeded' ? addressOf(record, addresses) : undefined;
  return {
    state: STATES[record.status],
    description: await describeState(deps, record, facts.canceled),
    context: contextOf(record.projectId, record.trigger?.isFork === true),
    ...(url !== undefined && { url }),
  };
}

/** Production is opened at the project's address, a preview at its own. */
export const addressOf = (record: DeploymentRecord, addresses: SiteAddresses | null): string | undefined =>
  environmentOf(record) === 'production' ? addresses?.url : (addresses?.deploymentUrl ?? addresses?.url);

async function describeState(
  deps: Pick<ReportDeps, 'listWaiting'>,
  record: DeploymentRecord,
  canceled: StoredDeployment['facts']['canceled'],
): Promise<string> {
  const isProduction = environmentOf(record) === 'production';
  switch (record.status) {
    case 'queued':
    case 'analyzing':
    case 'building':
      return describeProgress(record, await findPlace(deps, record));
    case 'succeeded':
      if (record.sameAs !== undefined) return 'Nothing has changed: it shows what was built before';
      return `${isProduction ? 'Deployed' : 'The preview is ready'}${durationOf(record)}`;
    case 'failed':
      return oneLine(record.error?.message ?? 'The deployment failed');
    case 'canceled':
      return canceled?.reason === 'superseded' ? 'Canceled, since a newer deployment took its place' : 'Canceled';
  }
}

function describeProgress({ status, builds }: DeploymentRecord, place: number | undefined): string {
  if (place !== undefined) return `Waiting: number ${place} in the queue`;
  if (status !== 'building') return status === 'queued' ? 'Waiting to be analyzed' : 'Reading the repository';
  const parts = TARGETS.filter((target) => builds[target]);
  return `Building the ${parts.join(' and the ')}`;
}

/** Number in the queue of a deployment of which nothing is at work yet; undefined where something is. */
async function findPlace(deps: Pick<ReportDeps, 'listWaiting'>, record: DeploymentRecord) {
  const { deploymentId, builds } = record;
  if (Object.values(builds).some((build) => build?.status !== 'queued')) return undefined;
  const isAnalyzed = Object.keys(builds).length > 0;
  const ids = isAnalyzed ? TARGETS.map((target) => buildJobId(deploymentId, target)) : [cloneJobId(deploymentId)];
  const waiting = await deps.listWaiting(isAnalyzed ? QUEUES.build : QUEUES.clone);
  const place = waiting.findIndex(({ id }) => ids.includes(id));
  return place < 0 ? undefined : place + 1;
}

function durationOf({ createdAt, finishedAt }: DeploymentRecord): string {
  const seconds = Math.round((Date.parse(finishedAt ?? '') - Date.parse(createdAt)) / 1_000);
  if (!(seconds >= 0)) return '';
  return seconds < 120 ? ` after ${seconds} s` : ` after ${Math.round(seconds / 60)} min`;
}

/** Without what turns the direction of text or is not seen: it may be a repository's. */
const oneLine = (text: string) => text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
