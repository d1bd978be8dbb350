import type { FrontendEnvName } from '../../../../contract/builder-env.ts';
import type { BuildJob } from '../../../../contract/jobs.ts';
import { REQUEST_RULE, SETTINGS_RULE, type TargetPlan } from '../../../../contract/plan.ts';
import { type BuilderRuntime, commonEnvironment, packageManager } from './environment.ts';

/** The environment of a frontend's builder: exactly the documented variables, those that do not apply left out. */
export function frontendEnvironment(
  job: BuildJob,
  context: BuilderRuntime,
): Record<string, string> & Partial<Record<FrontendEnvName, string>> {
  const { plan } = job;
  return {
    ...commonEnvironment(job, context),
    FRONTENDPATH: plan.path,
    INSTALLPATH: plan.installPath,
    INSTALLCOMMAND: plan.installCommand ?? '',
    BUILDCOMMAND: plan.buildCommand ?? '',
    // Plans of an earlier version may leave this out, which means the package's own folder.
    OUTPUT_DIR: plan.outputDirectory ?? (plan.outputDirectory === undefined || isOutputNamed(plan) ? '.' : ''),
    OUTPUT_NAMED: isOutputNamed(plan) ? '1' : '0',
    PACKAGE_MANAGER: packageManager(plan),
    ...(plan.allowSecrets?.length && { ALLOW_SECRETS: JSON.stringify(plan.allowSecrets) }),
    ...(plan.compiledFolders?.length && { COMPILED_FOLDERS: JSON.stringify(plan.compiledFolders) }),
    ...(context.precompress && { PRECOMPRESS: '1' }),
    ...(job.hold && { HOLD: '1' }),
  };
}

const isOutputNamed = ({ evidence }: TargetPlan): boolean =>
  evidence.some(({ field, rule }) => field === 'outputDirectory' && (rule === REQUEST_RULE || rule === SETTINGS_RULE));
