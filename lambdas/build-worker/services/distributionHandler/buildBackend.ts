import type { BackendEnvName } from '../../../../contract/builder-env.ts';
import type { BuildJob } from '../../../../contract/jobs.ts';
import { type BuilderRuntime, commonEnvironment, packageManager } from './environment.ts';

/** The environment of a backend's builder: exactly the documented variables, those that do not apply left out. */
export function backendEnvironment(
  job: BuildJob,
  context: BuilderRuntime,
): Record<string, string> & Partial<Record<BackendEnvName, string>> {
  const { plan } = job;
  return {
    ...commonEnvironment(job, context),
    BACKEND_PATH: plan.path,
    INSTALLPATH: plan.installPath,
    INSTALLCOMMAND: plan.installCommand ?? '',
    BUILDCOMMAND: plan.buildCommand ?? '',
    STARTCOMMAND: plan.startCommand ?? '',
    PACKAGE_MANAGER: packageManager(plan),
    ...(plan.port && { PORT: String(plan.port) }),
    ...(plan.dockerfile !== undefined && { DOCKERFILE: plan.dockerfile }),
    ECR_URI: context.ecrUri,
    ...(context.runsServices && { HOLD: '1' }),
  };
}
