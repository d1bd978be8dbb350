import type { BuildVariable } from '../../contract/variables.ts';

/** The part of a builder's environment from which a build's variables about itself are made. */
export interface BuildFacts {
  readonly DEPLOYMENTID: string;
  readonly PROJECT_ID: string;
  readonly GIT_COMMIT: string;
  readonly GIT_REPOSITORY__URL: string;
  readonly GIT_REF?: string | undefined;
  readonly GIT_BRANCH?: string | undefined;
  readonly GIT_TAG?: string | undefined;
}

/** The variables of `BUILD_VARIABLES` that have a value. */
export function buildFacts(job: BuildFacts): Partial<Record<BuildVariable, string>> {
  const all: Record<BuildVariable, string | undefined> = {
    CI: 'true',
    VEREN: '1',
    VEREN_DEPLOYMENT_ID: job.DEPLOYMENTID,
    VEREN_PROJECT_ID: job.PROJECT_ID,
    VEREN_GIT_COMMIT: job.GIT_COMMIT,
    VEREN_GIT_REF: job.GIT_REF,
    VEREN_GIT_BRANCH: job.GIT_BRANCH,
    VEREN_GIT_TAG: job.GIT_TAG,
    VEREN_GIT_URL: job.GIT_REPOSITORY__URL,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
