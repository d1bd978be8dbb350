import type { TaskOverride } from '@aws-sdk/client-ecs';
import { HANDOVER_URL, MAX_OVERRIDES_LENGTH, SECRET_ENV } from '../../../contract/builder-env.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { backendEnvironment } from './distributionHandler/buildBackend.ts';
import { frontendEnvironment } from './distributionHandler/buildFrontend.ts';
import type { BuilderRuntime } from './distributionHandler/environment.ts';

type Variables = Readonly<Record<string, string>>;

/** The whole environment of the builder of one build. */
export const builderEnvironment = (job: BuildJob, context: BuilderRuntime): Variables =>
  job.target === 'frontend' ? frontendEnvironment(job, context) : backendEnvironment(job, context);

/** Characters that RunTask counts: all overrides of the call as JSON. */
export const overrideLength = (override: TaskOverride) => JSON.stringify(override).length;

/** What the container's entry point looks at before the hand-over is read, and what tells tasks apart. */
const NEVER_LEFT_OUT = new Set([
  'GIT_REPOSITORY__URL',
  'GIT_COMMIT',
  'PROJECT_ID',
  'DEPLOYMENTID',
  'ATTEMPT',
  'CORRELATION_ID',
]);

/**
 * The overrides of RunTask for one build, all in the one container that the task definition has: what is no secret, for
 * people to see, and where the whole environment is read. What would make them longer than RunTask takes is left out, the
 * longest first: so nothing that a user gives can make a build too large to be started.
 */
export function taskOverride(containerName: string, variables: Variables, handoverUrl: string): TaskOverride {
  const secret = new Set<string>(SECRET_ENV);
  const shown = new Map(Object.entries(variables).filter(([name]) => !secret.has(name)));
  shown.set(HANDOVER_URL, handoverUrl);
  const override = (): TaskOverride => ({
    containerOverrides: [{ name: containerName, environment: [...shown].map(([name, value]) => ({ name, value })) }],
  });
  const byLength = [...shown].toSorted(([, a], [, b]) => b.length - a.length).map(([name]) => name);
  for (const name of byLength) {
    if (overrideLength(override()) <= MAX_OVERRIDES_LENGTH) break;
    if (name !== HANDOVER_URL && !NEVER_LEFT_OUT.has(name)) shown.delete(name);
  }
  return override();
}
