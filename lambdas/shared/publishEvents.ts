import type { DeploymentEvent } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import { type BuildEventBody, type BuildRef, makeBuildEvent } from '../domain/events.ts';
import type { Clock, EventBus } from './ports.ts';

/** Resolves when they are durable. Events of one deployment keep their order. */
export const publishEvents = (bus: EventBus, ...events: readonly DeploymentEvent[]): Promise<void> =>
  bus.publish(
    TOPICS.events,
    events.map((event) => ({ key: event.deploymentId, value: JSON.stringify(event) })),
  );

/** Publishes what the platform has to say of a build: saying it twice is saying it once. */
export const publishBuildEvent = (
  deps: { readonly bus: EventBus; readonly clock: Clock },
  build: BuildRef,
  body: BuildEventBody,
): Promise<void> => publishEvents(deps.bus, makeBuildEvent(build, body, deps.clock.now()));
