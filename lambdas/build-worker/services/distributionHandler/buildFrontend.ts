import type { FrontendEnvName } from '../../../../contract/builder-env.ts';
import type { BuildJob } from '../../../../contract/jobs.ts';
import { type BuildContext, commonEnvironment, packageManager } from './environment.ts';

/** The environment of a frontend's builder: exactly the documented variables, those that do not apply left out. */
export function frontendEnvironment(
  job: BuildJob,
  context: BuildContext,
): Record<string, string> & Partial<Record<FrontendEnvName, string>> {
  const { plan } = job;
  return {
    ...commonEnvironment(job, context),
    FRONTENDPATH: plan.path,
    INSTALLPATH: plan.installPath,
    INSTALLCOMMAND: plan.installCommand ?? '',
    BUILDCOMMAND: plan.buildCommand ?? '',
    OUTPUT_DIR: plan.outputDirectory ?? '.',
    PACKAGE_MANAGER: packageManager(plan),
    ...(plan.allowSecrets?.length && { ALLOW_SECRETS: JSON.stringify(plan.allowSecrets) }),
    ...(context.precompress && { PRECOMPRESS: '1' }),
  };
}
