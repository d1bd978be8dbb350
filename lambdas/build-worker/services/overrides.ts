import type { ContainerOverride, TaskOverride } from '@aws-sdk/client-ecs';
import type { CreateDeployment } from '../../../contract/api.ts';
import { MAX_OVERRIDES_LENGTH } from '../../../contract/builder-env.ts';
import { TARGETS } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { backendEnvironment } from './distributionHandler/buildBackend.ts';
import { frontendEnvironment } from './distributionHandler/buildFrontend.ts';
import type { BuildContext } from './distributionHandler/environment.ts';

/** The overrides of RunTask for one build, all in the one container that the task definition has. */
export function taskOverride(containerName: string, job: BuildJob, context: BuildContext): TaskOverride {
  const variables = job.target === 'frontend' ? frontendEnvironment(job, context) : backendEnvironment(job, context);
  const environment: ContainerOverride['environment'] = Object.entries(variables).map(([name, value]) => ({
    name,
    value,
  }));
  return { containerOverrides: [{ name: containerName, environment }] };
}

/** Characters that RunTask counts: all overrides of the call as JSON. */
export const overrideLength = (override: TaskOverride) => JSON.stringify(override).length;

/** Throws OVERRIDES_TOO_LARGE where RunTask would refuse the overrides. */
export function checkOverrides(override: TaskOverride): void {
  const size = overrideLength(override);
  if (size > MAX_OVERRIDES_LENGTH) throw new VerenError('OVERRIDES_TOO_LARGE', { size, limit: MAX_OVERRIDES_LENGTH });
}

/** Longest values that the platform itself gives: what a request must leave room for. STS tokens seen: up to 1,400. */
const ROOM = { accessKeyId: 'A'.repeat(32), secretAccessKey: 'A'.repeat(64), sessionToken: 'A'.repeat(1_600) };
const COMMAND_ROOM = 'x'.repeat(120);

/**
 * Refuses a request whose variables and commands could not be given to a task, before it is accepted. What is not known
 * yet (credentials, detected commands) is counted at its longest.
 */
export function checkRequestSize(request: CreateDeployment, platform: Omit<BuildContext, 'credentials' | 'attempt'>) {
  for (const target of TARGETS) {
    const wanted = request[target];
    if (wanted === false) continue;
    const job: BuildJob = {
      deploymentId: 'x'.repeat(26),
      projectId: request.projectId,
      owner: '',
      target,
      gitUrl: request.gitUrl,
      ...(request.gitToken !== undefined && { gitToken: request.gitToken }),
      commit: 'x'.repeat(40),
      env: request.env ?? {},
      lane: 'production',
      cache: 'drop',
      plan: {
        path: '.',
        framework: null,
        language: 'javascript',
        packageManager: { name: 'pnpm', version: '10.100.100' },
        installPath: '.',
        installCommand: COMMAND_ROOM,
        buildCommand: COMMAND_ROOM,
        startCommand: COMMAND_ROOM,
        outputDirectory: 'x'.repeat(20),
        port: 3_000,
        evidence: [],
        ...withoutUndefined(wanted ?? {}),
        nodeVersion: 24,
      },
    };
    checkOverrides(taskOverride('x'.repeat(32), job, { ...platform, credentials: ROOM, attempt: 1 }));
  }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that are set: an absent override must not hide the room kept for what will be detected. */
const withoutUndefined = <T extends object>(o: T): Given<T> =>
  Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as Given<T>;
