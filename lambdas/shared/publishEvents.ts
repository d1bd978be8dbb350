import type { DeploymentEvent } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import { type BuildEventBody, type BuildRef, makeBuildEvent } from '../domain/events.ts';
import type { Clock, EventBus } from './ports.ts';

/** Resolves when the events are durable. Events of one deployment keep their order. */
export const publishEvents = (bus: EventBus, ...events: readonly DeploymentEvent[]): Promise<void> =>
  bus.publish(
    TOPICS.events,
    events.map((event) => ({ key: event.deploymentId, value: JSON.stringify(event) })),
  );

/**
 * Publishes a platform's event about a build. Its id depends on its content, so publishing it twice has no further
 * effect.
 */
export const publishBuildEvent = (
  deps: { readonly bus: EventBus; readonly clock: Clock },
  build: BuildRef,
  body: BuildEventBody,
): Promise<void> => publishEvents(deps.bus, makeBuildEvent(build, body, deps.clock.now()));
