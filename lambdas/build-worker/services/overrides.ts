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

/** The length that RunTask limits: all overrides of the call as JSON. */
export const overrideLength = (override: TaskOverride) => JSON.stringify(override).length;

/** Variables that the container's entry point needs before it reads the hand-over, and those that identify a task. */
const NEVER_LEFT_OUT = new Set([
  'GIT_REPOSITORY__URL',
  'GIT_COMMIT',
  'PROJECT_ID',
  'DEPLOYMENTID',
  'ATTEMPT',
  'CORRELATION_ID',
]);

/**
 * The overrides of RunTask for one build, all for the one container of the task definition: what is not secret, for
 * people to see, and the URL of the whole environment. Variables that would make them longer than RunTask allows are
 * left out, the longest first, so that no value from a user keeps a build from being started.
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
