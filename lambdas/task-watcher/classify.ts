import type { Container, Task } from '@aws-sdk/client-ecs';
import { BUILDERS } from '../../contract/builders.ts';
import {
  type DetailArguments,
  describeLostEnd,
  ERRORS,
  type ErrorCode,
  errorForExitCode,
} from '../../contract/errors.ts';
import type { Failure } from '../../contract/record.ts';
import { failure } from '../domain/failure.ts';
import type { EndedBy } from '../domain/retry.ts';

/** `stoppedReason` of tasks that the task-watcher stopped for running too long begins with this. */
export const TIMEOUT_REASON = 'veren: timeout';

/**
 * `stoppedReason` of tasks that ended with the laptop's platform: stopped by it, not started yet, or cut off by its
 * crash.
 */
export const PLATFORM_STOPPED = 'The platform was stopped while the task was running.';
export const PLATFORM_CRASHED = 'The platform crashed while the task was running.';
/** `stoppedReason` of a task that ECS has forgotten before the platform had noticed its end. */
export const TASK_UNKNOWN = 'ECS does not know the task any more';

/**
 * The host under a task was taken away. Sources: ECS API reference, data type Task, `stopCode`; developer guide, "AWS Fargate
 * task retirement" and "Stopped tasks error messages".
 */
const HOST_GONE = /infrastructure hosting the task|maintenance|Host EC2|retirement/i;
const PULL = /CannotPullContainer|CannotPullImageManifest|pull image/i;
const NO_IMAGE =
  /not found|manifest unknown|does not exist|no such|denied|not authorized|unauthorized|invalid reference/i;

export type TaskOutcome =
  /** The exit code means success, so the artifact must exist. */
  | { readonly kind: 'succeeded' }
  /** The user's fault, or one that no repeat cures. */
  | { readonly kind: 'failed'; readonly error: Failure }
  /** Not caused by the user, so another attempt follows. */
  | { readonly kind: 'retry'; readonly error: Failure; readonly endedBy: EndedBy };

/**
 * What the end of a task means when its builder's final event was lost. Sources: ECS developer guide, "Stopped tasks
 * error codes" and "Task state change events"; exit codes are those of the error table.
 */
export function classifyTask(task: Task, timeoutSeconds: number): TaskOutcome {
  const reason = task.stoppedReason ?? '';
  const container = reportingContainer(task);
  const exitCode = container?.exitCode;
  const why = [...new Set([reason, container?.reason])].filter(Boolean).join('; ') || 'no reason was given';

  if (exitCode === 0) return { kind: 'succeeded' };
  if (reason.startsWith(TIMEOUT_REASON)) return failedOutcome('TASK_TIMEOUT', { seconds: timeoutSeconds });
  const lost = failure('TASK_LOST', { reason: why });
  if (task.stopCode === 'SpotInterruption')
    return { kind: 'retry', error: failure('SPOT_INTERRUPTED'), endedBy: 'platform' };
  if (reason === PLATFORM_CRASHED) return { kind: 'retry', error: lost, endedBy: 'crash' };
  if (reason === PLATFORM_STOPPED || reason === TASK_UNKNOWN || isHostGone(task))
    return { kind: 'retry', error: lost, endedBy: 'platform' };
  // The image does not exist or may not be read, which no repeat cures. A registry that is away or busy is transient.
  if (PULL.test(why) && NO_IMAGE.test(why)) return failedOutcome('IMAGE_PULL_FAILED', { reason: why });
  if (task.stopCode === 'TaskFailedToStart' && exitCode === undefined) return retryOutcome('TASK_START_FAILED', why);
  if (/OutOfMemory/i.test(container?.reason ?? '') || /OutOfMemory/i.test(reason))
    return failedOutcome('BUILD_OUT_OF_MEMORY');
  // The task did not run to its end: the host, the platform or the laptop went away.
  if (exitCode === undefined) return retryOutcome('TASK_LOST', why);
  const code = errorForExitCode(exitCode);
  // 137 without OutOfMemory and 143 are signals from outside: the build did not end itself.
  if (!code || code === 'BUILD_OUT_OF_MEMORY' || code === 'BUILD_STOPPED')
    return retryOutcome('TASK_LOST', `exit code ${exitCode}; ${why}`);
  const error = { code, message: describeLostEnd(code) };
  return ERRORS[code].fault === 'transient' ? { kind: 'retry', error, endedBy: 'build' } : { kind: 'failed', error };
}

const REPORTING: ReadonlySet<string> = new Set(BUILDERS.map(({ container }) => container));

/**
 * The container whose end is the build's, in whatever order ECS names them. A task may have another one, which runs what is not
 * to be trusted: how that ends says nothing.
 */
export const reportingContainer = ({ containers }: Task): Container | undefined =>
  containers?.find(({ name }) => name !== undefined && REPORTING.has(name)) ?? containers?.[0];

/** A builder that has exited by itself was not lost with its host, whatever the stop code is. */
function isHostGone({ stopCode, stoppedReason = '' }: Task): boolean {
  if (stopCode === 'TerminationNotice') return true;
  return stopCode !== 'EssentialContainerExited' && stopCode !== 'UserInitiated' && HOST_GONE.test(stoppedReason);
}

const failedOutcome = <C extends ErrorCode>(code: C, ...details: DetailArguments<C>): TaskOutcome => ({
  kind: 'failed',
  error: failure(code, ...details),
});
const retryOutcome = (code: 'TASK_START_FAILED' | 'TASK_LOST', reason: string): TaskOutcome => ({
  kind: 'retry',
  error: failure(code, { reason }),
  endedBy: 'build',
});
