import type { CommitReport, GitConnection } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { HostWriter } from '../../shared/gitHosts/hostWriter.ts';
import { findActive, findRun, type Ledger, noteAnswered, noteRun } from '../../shared/gitHosts/reportLedger.ts';
import { showsRelease } from '../../shared/gitHosts/showsRelease.ts';
import type { ReportDeps } from './deps.ts';
import type { Reported, ReportedEnvironment } from './findReported.ts';

/**
 * What GitHub's environments are to be told: each state of a deployment once, whichever is the newest of its commit; and
 * of a release, that production shows it (again), unless that is what they show.
 */
export function findDueEnvironment(
  { app, environments }: GitConnection,
  { environment, told, isForgettable, releaseId }: Reported,
  ledger: Ledger,
): ReportedEnvironment | undefined {
  if (!app || environments === false || !environment) return undefined;
  const { deploymentId, rank } = told;
  if (releaseId !== undefined)
    return findActive(ledger)?.deploymentId === deploymentId
      ? undefined
      : { ...environment, environment: 'production' };
  const run = findRun(ledger, deploymentId);
  if (run?.environmentId === undefined && (isForgettable || environment.isGone)) return undefined;
  return run?.rank === undefined || rank > run.rank ? environment : undefined;
}

interface Written {
  readonly project: ProjectDocument;
  readonly reported: Reported;
  readonly environment: ReportedEnvironment;
  readonly report: Omit<CommitReport, 'commit'>;
  readonly writer: HostWriter;
  /** Runs a call. What no repeat would cure ends it, and gives undefined. */
  readonly collect: <T>(call: () => Promise<T>) => Promise<T | undefined>;
}

export async function writeEnvironment(deps: Pick<ReportDeps, 'ledgers'>, of: Written): Promise<void> {
  const { project, reported, environment, report, writer, collect } = of;
  const { told, isRunning, releaseId } = reported;
  const { deploymentId, rank } = told;
  const ledger = await deps.ledgers.read(project);
  const run = findRun(ledger, deploymentId);
  const isProduction = environment.environment === 'production';
  const isGone =
    environment.isGone || (isProduction && releaseId === undefined && isPassed(project, ledger, deploymentId));
  const description = releaseId !== undefined && run?.production ? 'Production shows it again' : report.description;
  const shown = {
    ...report,
    ...environment,
    description,
    isGone,
    projectId: project.projectId,
    deploymentId,
    isRunning,
  };
  let id = releaseId === undefined ? run?.environmentId : idOfRelease(ledger, reported, releaseId);
  if (id === undefined && !isGone) {
    id = await collect(() => writer.makeEnvironment(shown));
    // At once: what is tried again after a fault must not make another.
    await deps.ledgers.change(project, (before) => {
      if (id === undefined) return before;
      return releaseId === undefined
        ? noteRun(before, deploymentId, { environmentId: id })
        : { ...before, releasing: { releaseId, environmentId: id } };
    });
  }
  const isActive = id !== undefined && isProduction && !isGone && report.state === 'success';
  const former = isActive ? findActive(ledger) : undefined;
  if (former && former.environmentId !== id) await collect(() => writer.endEnvironment(former.environmentId));
  if (id !== undefined) await collect(() => writer.writeEnvironment(shown, id!));
  await deps.ledgers.change(project, (before) => {
    const answered = noteAnswered(before);
    // A preview that was promoted keeps what is shown of the preview.
    const isOwn = reported.environment?.environment === environment.environment;
    const noted = isOwn
      ? noteRun(answered, deploymentId, {
          rank,
          ...(id !== undefined && { environmentId: id, production: isActive }),
        })
      : answered;
    return isActive ? { ...noted, active: { deploymentId, environmentId: id! }, releasing: undefined } : noted;
  });
}

/** What GitHub has of a release: its deployment's own, until that was shown and has ended; then another. */
function idOfRelease(ledger: Ledger, { told, environment }: Reported, releaseId: string): string | undefined {
  const run = findRun(ledger, told.deploymentId);
  if (environment?.environment === 'production' && run?.environmentId !== undefined && !run.production)
    return run.environmentId;
  return ledger.releasing?.releaseId === releaseId ? ledger.releasing.environmentId : undefined;
}

/** A production deployment that has ended is not what production shows: a newer one is, or an earlier one was pinned. */
function isPassed({ release, pinned }: ProjectDocument, { runs = [] }: Ledger, deploymentId: string): boolean {
  if (release && showsRelease(release) === deploymentId) return false;
  return pinned !== null || runs.some((run) => run.production === true && run.deploymentId > deploymentId);
}
