import type { CommitReport, ReportJob } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import type { EnvironmentReport } from '../../shared/gitHosts/github/appCalls.ts';
import type { CommitList, Told } from '../../shared/gitHosts/reportLedger.ts';
import type { ReportDeps } from './deps.ts';
import { describeComment, describeHeld } from './describeComment.ts';
import { commitOf, contextOf, describeReport, rankOfStatus } from './describeReport.ts';

export type ReportedEnvironment = Pick<EnvironmentReport, 'commit' | 'environment' | 'isGone'>;

/** What is to be told of, as it is now. */
export interface Reported {
  /** Where it stands in the order of what is told. */
  readonly told: Told;
  /** Absent where no status is to be written. */
  readonly commit: string | undefined;
  readonly list: CommitList;
  /** Told only where the ledger knows the commit already. */
  readonly isForgettable: boolean;
  /** Pull requests of which this is the newest. */
  readonly numbers: readonly number[];
  readonly gitUrl: string | undefined;
  /** Where GitHub's environments show it; absent for strangers' code. */
  readonly environment?: ReportedEnvironment | undefined;
  /** The release by which production shows it now; absent where the job is of none, or of one that was replaced. */
  readonly releaseId?: string | undefined;
  /** It has begun. */
  readonly isRunning: boolean;
  readonly describe: () => Promise<{ readonly report: Omit<CommitReport, 'commit'>; readonly text: string }>;
}

/**
 * Longer ago than this a deployment is not told of that the ledger has forgotten: after a loss of the queue every
 * deployment of the log is seen once more.
 */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** The newest state of what a job names; null where there is nothing to tell (any more). */
export async function findReported(
  deps: ReportDeps,
  project: ProjectDocument,
  job: ReportJob,
): Promise<Reported | null> {
  if (job.held) return findHeld(deps, project, job.deploymentId, job.held);
  const stored = await deps.store.get(job.deploymentId);
  if (stored?.record.projectId !== project.projectId) return null;
  const { record } = stored;
  const { deploymentId, status, expired, trigger, gitUrl, createdAt } = record;
  return {
    told: { deploymentId, rank: rankOfStatus(status) + (expired ? 1 : 0) },
    commit: expired ? undefined : commitOf(record),
    list: trigger?.isFork ? 'forks' : 'commits',
    isForgettable: deps.clock.now() - Date.parse(createdAt) > MAX_AGE_MS,
    numbers: [job.number, trigger?.number].filter((number) => number !== undefined),
    gitUrl,
    environment: environmentOf(record),
    releaseId:
      status === 'succeeded' && !expired && job.releaseId === project.release?.releaseId ? job.releaseId : undefined,
    isRunning: status === 'building' || status === 'analyzing',
    async describe() {
      const addresses = status === 'succeeded' ? await openAddresses(deps, record, project) : null;
      const report = await describeReport(deps, stored, addresses);
      return { report, text: describeComment(record, { ...report, commit: commitOf(record) }, addresses) };
    },
  };
}

/** What is not known yet is shown later. */
function environmentOf(record: DeploymentRecord): Reported['environment'] {
  const { environment, trigger, expired, plan } = record;
  const commit = commitOf(record);
  if (environment === undefined || commit === undefined) return undefined;
  if (trigger?.isFork || plan?.lane === 'untrusted') return undefined;
  return { environment, commit, isGone: expired !== undefined };
}

/** Without what opens a protected preview: reports may be read by everybody. */
export const openAddresses = (
  deps: Pick<ReportDeps, 'siteAddresses'>,
  record: DeploymentRecord,
  { settings, ...project }: ProjectDocument,
) => deps.siteAddresses(record, { ...project, settings: { ...settings, previews: undefined } });

async function findHeld(
  deps: ReportDeps,
  project: ProjectDocument,
  deploymentId: string,
  { number, commit }: NonNullable<ReportJob['held']>,
): Promise<Reported | null> {
  const { projectId } = project;
  const { held } = await deps.gitState.read(project);
  if (!held.some((one) => one.number === number && one.commit === commit)) return null;
  return {
    told: { deploymentId, rank: 0 },
    ...{ commit, list: 'forks', isForgettable: false, numbers: [number], gitUrl: undefined, isRunning: false },
    describe: async () => ({
      report: {
        state: 'pending',
        description: 'Waits for a member to approve it',
        context: contextOf(projectId, true),
      },
      text: describeHeld(projectId, commit),
    }),
  };
}
