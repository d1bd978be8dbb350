import type { Target } from '../../contract/builders.ts';
import { type DetailArguments, type ErrorCode, sentence, VerenError } from '../../contract/errors.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import type { LogFields } from '../../contract/log.ts';
import { TOPICS } from '../../contract/names.ts';
import type { Failure } from '../../contract/record.ts';
import type { Clock, EventBus } from './ports.ts';

/** The build that an event is about. */
export interface BuildRef {
  readonly deploymentId: string;
  readonly projectId: string;
  readonly target: Target;
  readonly attempt: number;
  readonly correlationId?: string | undefined;
}

/** What log lines about a build are found by. */
export const fieldsOfBuild = ({ deploymentId, projectId, target, attempt, correlationId }: BuildRef): LogFields => ({
  correlationId,
  deploymentId,
  projectId,
  target,
  attempt,
});

type BuildEvent = Extract<DeploymentEvent, { attempt: number }>;
type Body<E> = E extends BuildEvent ? Omit<E, 'v' | 'id' | 'at' | keyof BuildRef> : never;

/**
 * Publishes what the platform, not the builder, has to say of a build. The id is made of the build and the type, so that
 * saying it twice is saying it once.
 */
export async function publishBuildEvent(
  deps: { bus: EventBus; clock: Clock },
  build: BuildRef,
  body: Body<BuildEvent>,
): Promise<void> {
  const { deploymentId, projectId, target, attempt, correlationId } = build;
  const event = {
    v: 1,
    id: `${deploymentId}-${target}-${attempt}-${body.type}`,
    at: new Date(deps.clock.now()).toISOString(),
    deploymentId,
    projectId,
    target,
    attempt,
    ...(correlationId !== undefined && { correlationId }),
    ...body,
  };
  await deps.bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify(event) }]);
}

export const failure = <C extends ErrorCode>(code: C, ...details: DetailArguments<C>): Failure => ({
  code,
  message: sentence(code, ...details),
});

/** What a user is told of an error: its row's sentence, or only that it was ours. */
export const failureOf = (e: unknown): Failure =>
  e instanceof VerenError ? { code: e.code, message: e.message } : failure('INTERNAL');
