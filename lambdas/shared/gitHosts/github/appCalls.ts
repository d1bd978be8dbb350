import type { CommitReport, CommitState } from '../../../../contract/gitHosts.ts';
import type { Environment } from '../../../../contract/lanes.ts';
import { cutText, type HostCall, twoSegments } from '../hostAdapter.ts';

/** A check run of a deployment, which the App alone may write. `id` is that of an earlier report. */
export interface CheckReport extends CommitReport {
  readonly deploymentId: string;
  /** It has begun. */
  readonly isRunning: boolean;
}

/** What GitHub's environments show of a deployment. */
export interface EnvironmentReport extends CheckReport {
  readonly projectId: string;
  readonly environment: Environment;
  /** It is not shown any more. */
  readonly isGone: boolean;
}

const CONCLUSIONS: Readonly<Record<Exclude<CommitState, 'pending'>, string>> = {
  success: 'success',
  failure: 'failure',
  canceled: 'cancelled',
};
/** Source: GitHub's REST reference, "Create a deployment status": descriptions have 140 characters at most. */
const MAX_DESCRIPTION = 140;

/**
 * One check run per deployment, of the same name as the status of projects without the App: so a branch that requires it
 * need not be changed. Source: GitHub's REST reference, "Check runs", version 2022-11-28.
 */
export function checkCall(repository: string, report: CheckReport, id: string | undefined): HostCall {
  const { state, isRunning, commit, context, description, url, deploymentId } = report;
  const pending = { status: isRunning ? 'in_progress' : 'queued' };
  const body = {
    ...(id === undefined && { head_sha: commit }),
    ...{ name: context, external_id: deploymentId },
    ...(state === 'pending' ? pending : { status: 'completed', conclusion: CONCLUSIONS[state] }),
    ...(url !== undefined && { details_url: url }),
    output: { title: cutText(description, MAX_DESCRIPTION), summary: `Deployment \`${deploymentId}\`` },
  };
  const path = `/repos/${twoSegments(repository)}/check-runs`;
  return id === undefined ? { method: 'POST', path, body } : { method: 'PATCH', path: `${path}/${id}`, body };
}

/** Several projects may have one repository; a name is never another's. */
const environmentName = ({ environment, projectId }: EnvironmentReport) =>
  `${environment === 'production' ? 'Production' : 'Preview'} – ${projectId}`;

/** Source: GitHub's REST reference, "Create a deployment": without `required_contexts: []` it waits for all checks. */
export const environmentCall = (repository: string, report: EnvironmentReport): HostCall => ({
  method: 'POST',
  path: `/repos/${twoSegments(repository)}/deployments`,
  body: {
    ...{ ref: report.commit, environment: environmentName(report), auto_merge: false, required_contexts: [] },
    production_environment: report.environment === 'production',
    transient_environment: report.environment === 'preview',
    payload: { deploymentId: report.deploymentId },
  },
});

/** Previews of other branches stay as they are, and what production showed before is ended by itself. */
export const environmentStatusCall = (repository: string, report: EnvironmentReport, id: string): HostCall => ({
  method: 'POST',
  path: `/repos/${twoSegments(repository)}/deployments/${id}/statuses`,
  body: {
    ...{ state: stateOf(report), description: cutText(report.description, MAX_DESCRIPTION) },
    auto_inactive: false,
    ...(report.url !== undefined && !report.isGone && { environment_url: report.url }),
  },
});

/**
 * Source: GitHub's REST reference, "Inactive deployments": `auto_inactive` ends what is neither transient nor
 * production's, so production's is ended by a status of its own.
 */
export const environmentEndCall = (repository: string, id: string): HostCall => ({
  method: 'POST',
  path: `/repos/${twoSegments(repository)}/deployments/${id}/statuses`,
  body: { state: 'inactive', description: 'Production shows another deployment', auto_inactive: false },
});

function stateOf({ state, isGone, isRunning }: EnvironmentReport): string {
  if (isGone || state === 'canceled') return 'inactive';
  if (state === 'pending') return isRunning ? 'in_progress' : 'queued';
  return state;
}
