import { TARGETS, type Target } from '../../contract/builders.ts';
import type { Environment, Lane } from '../../contract/lanes.ts';
import type { DeploymentRecord } from '../../contract/record.ts';

/**
 * True where a deployment has something to show: all of it has been built, or a site that is published by itself (one that
 * waits for its other part is stored, and not yet a success). From then on that never changes.
 */
export const mayBeShown = ({ status, builds }: DeploymentRecord): boolean =>
  status === 'succeeded' || builds.frontend?.status === 'succeeded';

/** The parts of a deployment that have been built. */
export const builtParts = ({ builds }: DeploymentRecord): Target[] =>
  TARGETS.filter((target) => builds[target]?.status === 'succeeded');

/** Deployments of an earlier version had no environment, and each replaced what was live. */
export const environmentOf = ({ environment }: Pick<DeploymentRecord, 'environment'>): Environment =>
  environment ?? 'production';

/**
 * Where a deployment belongs: what was asked for, else production for the production branch, or for no ref at all. A
 * redeployment names a commit, and has the lane of the deployment before.
 */
export function chooseEnvironment(of: {
  readonly environment?: Environment | undefined;
  readonly lane?: Lane | undefined;
  readonly productionBranch?: string | undefined;
  readonly branch?: string | undefined;
  readonly isDefaultBranch: boolean;
}): Environment {
  if (of.environment !== undefined) return of.environment;
  if (of.lane !== undefined) return of.lane === 'production' ? 'production' : 'preview';
  const { productionBranch } = of;
  const isProduction = productionBranch === undefined ? of.isDefaultBranch : of.branch === productionBranch;
  return isProduction ? 'production' : 'preview';
}
