import type { Task } from '@aws-sdk/client-ecs';
import { ERRORS, type ErrorCode } from '../../../contract/errors.ts';
import { parseTaskToken, taskToken } from '../../../lambdas/domain/taskToken.ts';
import {
  classifyTask,
  PLATFORM_CRASHED,
  PLATFORM_STOPPED,
  TASK_UNKNOWN,
  TIMEOUT_REASON,
} from '../../../lambdas/task-watcher/classify.ts';

const task = (over: Partial<Task> & { exitCode?: number; reason?: string }): Task => {
  const { exitCode, reason, ...rest } = over;
  return { containers: [{ ...(exitCode !== undefined && { exitCode }), ...(reason && { reason }) }], ...rest };
};

describe('what a task that stopped amounts to', () => {
  it.each<[string, Task, string, ErrorCode | undefined]>([
    ['ended well', task({ exitCode: 0, stopCode: 'EssentialContainerExited' }), 'succeeded', undefined],
    ['install failed', task({ exitCode: ERRORS.INSTALL_FAILED.exitCode! }), 'failed', 'INSTALL_FAILED'],
    ['build failed', task({ exitCode: ERRORS.BUILD_FAILED.exitCode! }), 'failed', 'BUILD_FAILED'],
    ['output missing', task({ exitCode: ERRORS.OUTPUT_MISSING.exitCode! }), 'failed', 'OUTPUT_MISSING'],
    ['publish failed', task({ exitCode: ERRORS.PUBLISH_FAILED.exitCode! }), 'retry', 'PUBLISH_FAILED'],
    [
      'builder misconfigured',
      task({ exitCode: ERRORS.BUILDER_MISCONFIGURED.exitCode! }),
      'failed',
      'BUILDER_MISCONFIGURED',
    ],
    [
      'out of memory',
      task({ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }),
      'failed',
      'BUILD_OUT_OF_MEMORY',
    ],
    ['killed from outside', task({ exitCode: 137, stoppedReason: 'host replaced' }), 'retry', 'TASK_LOST'],
    ['an exit code of nobody', task({ exitCode: 1 }), 'retry', 'TASK_LOST'],
    ['Spot interruption', task({ exitCode: 143, stopCode: 'SpotInterruption' }), 'retry', 'SPOT_INTERRUPTED'],
    [
      'stopped for its time',
      task({ exitCode: 137, stopCode: 'UserInitiated', stoppedReason: `${TIMEOUT_REASON} after 60 s` }),
      'failed',
      'TASK_TIMEOUT',
    ],
    [
      'image missing',
      task({
        stopCode: 'TaskFailedToStart',
        stoppedReason:
          'CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref x:latest: not found',
      }),
      'failed',
      'IMAGE_PULL_FAILED',
    ],
    [
      'the registry is away',
      task({
        stopCode: 'TaskFailedToStart',
        stoppedReason:
          'CannotPullContainerError: ref pull has been retried 5 time(s): dial tcp 10.0.0.1:443: i/o timeout',
      }),
      'retry',
      'TASK_START_FAILED',
    ],
    [
      'no network interface',
      task({
        stopCode: 'TaskFailedToStart',
        stoppedReason: 'Timeout waiting for network interface provisioning to complete.',
      }),
      'retry',
      'TASK_START_FAILED',
    ],
    ['the host went away', task({ stoppedReason: 'the platform was ended' }), 'retry', 'TASK_LOST'],
    ['no containers at all', {}, 'retry', 'TASK_LOST'],
  ])('%s', (_, stopped, kind, code) => {
    const verdict = classifyTask(stopped, 60);
    expect(verdict.kind).toBe(kind);
    if (verdict.kind !== 'succeeded') {
      expect(verdict.error.code).toBe(code);
      expect(verdict.error.message).not.toMatch(/\{\w+\}/);
      // What is retried is never the user's fault.
      if (verdict.kind === 'retry') expect(ERRORS[code!].fault).toBe('transient');
    }
  });

  it.each<[string, Task, string]>([
    ['the laptop was stopped', task({ stopCode: 'TerminationNotice', stoppedReason: PLATFORM_STOPPED }), 'platform'],
    ['… before it was started', task({ stopCode: 'TaskFailedToStart', stoppedReason: PLATFORM_STOPPED }), 'platform'],
    ['the laptop crashed', task({ stopCode: 'TerminationNotice', stoppedReason: PLATFORM_CRASHED }), 'crash'],
    ['Spot', task({ exitCode: 143, stopCode: 'SpotInterruption' }), 'platform'],
    ['ECS has forgotten it', task({ stoppedReason: TASK_UNKNOWN }), 'platform'],
    [
      'Fargate retired the host',
      task({
        exitCode: 143,
        stopCode: 'ServiceSchedulerInitiated',
        stoppedReason: 'ECS is performing maintenance on the underlying infrastructure hosting the task',
      }),
      'platform',
    ],
    ['told to stop with a notice', task({ exitCode: 143, stopCode: 'TerminationNotice' }), 'platform'],
    ['somebody stopped it', task({ exitCode: 143, stopCode: 'UserInitiated', stoppedReason: 'maintenance' }), 'build'],
    ['killed from outside', task({ exitCode: 137, stopCode: 'EssentialContainerExited' }), 'build'],
    ['publishing failed', task({ exitCode: ERRORS.PUBLISH_FAILED.exitCode! }), 'build'],
    ['no capacity', task({ stopCode: 'TaskFailedToStart', stoppedReason: 'Capacity is unavailable' }), 'build'],
  ])('who ended it: %s', (_, stopped, endedBy) => {
    expect(classifyTask(stopped, 60)).toMatchObject({ kind: 'retry', endedBy });
  });

  it('gives every exit code of the table a verdict with its own row', () => {
    for (const [code, row] of Object.entries(ERRORS)) {
      if (row.exitCode === undefined || row.exitCode === 137 || row.exitCode === 143) continue;
      const verdict = classifyTask(task({ exitCode: row.exitCode }), 60);
      expect(verdict).toMatchObject({ kind: row.fault === 'transient' ? 'retry' : 'failed', error: { code } });
    }
  });
});

it('finds a build again by its token', () => {
  const identity = { deploymentId: '01jd9qv3x5', target: 'backend' as const, attempt: 3, start: 2 };
  const token = taskToken(identity);
  expect(token.length).toBeLessThanOrEqual(64);
  expect(parseTaskToken(token)).toEqual(identity);
  for (const other of [undefined, '', 'ecs-svc/123', 'a-frontend-x-1']) expect(parseTaskToken(other)).toBeNull();
});

describe('a task with two containers', () => {
  const two = (trusted: number | undefined, isolated: number | undefined, over: Partial<Task> = {}): Task => ({
    stopCode: 'EssentialContainerExited',
    ...over,
    containers: [
      {
        name: 'dockerfile-build',
        ...(isolated !== undefined && { exitCode: isolated }),
        reason: 'OutOfMemoryError: x',
      },
      { name: 'backend-build-worker', ...(trusted !== undefined && { exitCode: trusted }) },
    ],
  });

  it.each<[string, Task, string, ErrorCode | undefined]>([
    ['ended well, and the other one was killed with it', two(0, 137), 'succeeded', undefined],
    ['the trusted one failed', two(ERRORS.DOCKERFILE_STEP_FAILED.exitCode, 0), 'failed', 'DOCKERFILE_STEP_FAILED'],
    ['the isolated one alone ended well', two(undefined, 0), 'retry', 'TASK_LOST'],
    ['the isolated one says what it likes', two(ERRORS.IMAGE_REFUSED.exitCode, 28), 'failed', 'IMAGE_REFUSED'],
  ])('%s', (_, stopped, kind, code) => {
    const outcome = classifyTask(stopped, 60);
    expect(outcome.kind).toBe(kind);
    if (outcome.kind !== 'succeeded') expect(outcome.error.code).toBe(code);
  });
});
