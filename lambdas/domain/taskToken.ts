import type { Target } from '../../contract/builders.ts';

/**
 * The build that a task is for. `start` grows when ECS has refused a start, so that ECS does not treat the next one as
 * a repeat.
 */
export interface TaskIdentity {
  readonly deploymentId: string;
  readonly target: Target;
  readonly attempt: number;
  readonly start: number;
}

/** At most 64 characters: RunTask's limit for `clientToken`. */
export const taskToken = ({ deploymentId, target, attempt, start }: TaskIdentity) =>
  `${deploymentId}-${target}-${attempt}-${start}`;

/** The identity in a task's `startedBy`; null where the task is not one of ours. */
export function parseTaskToken(token: string | undefined): TaskIdentity | null {
  const match = /^([a-z0-9]+)-(frontend|backend)-(\d+)-(\d+)$/.exec(token ?? '');
  if (!match) return null;
  const [, deploymentId, target, attempt, start] = match;
  return {
    deploymentId: deploymentId as string,
    target: target as Target,
    attempt: Number(attempt),
    start: Number(start),
  };
}
