import { ERRORS, isErrorCode } from '../../contract/errors.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import { type AttemptFacts, type DeploymentFacts, isBefore, type Stamp } from './facts.ts';

/** An attempt number that no retry limit reaches; keeps hostile or broken events from growing the state without bound. */
export const MAX_ATTEMPT = 100;

/**
 * Folds one event into the facts. Pure and total: any event in any order any number of times gives facts that depend on
 * the set of events alone. Returns the same object where the event adds nothing.
 */
export function reduceEvent(facts: DeploymentFacts, received: DeploymentEvent): DeploymentFacts {
  const event = normaliseEvent(received);
  const changed = foldEvent(facts, event);
  const updatedAt = event.at > facts.updatedAt ? event.at : facts.updatedAt;
  return changed === facts && updatedAt === facts.updatedAt ? facts : { ...changed, updatedAt };
}

function foldEvent(facts: DeploymentFacts, event: DeploymentEvent): DeploymentFacts {
  switch (event.type) {
    case 'deployment.requested':
      return keepFirst(facts, 'requested', event);
    case 'deployment.analyzing':
      return keepFirst(facts, 'analyzing', { at: event.at, id: event.id });
    case 'deployment.analyzed':
      return keepFirst(facts, 'analyzed', event);
    case 'deployment.failed':
      return keepFirst(facts, 'failed', event);
    case 'deployment.canceled':
      return keepFirst(facts, 'canceled', event);
    case 'deployment.unchanged':
      return keepFirst(facts, 'unchanged', event);
    case 'deployment.expired':
      return keepFirst(facts, 'expired', event);
    case 'build.started':
      return inAttempt(facts, event, (attempt) => keepFirst(attempt, 'started', event));
    case 'build.toolchain':
      return inAttempt(facts, event, (attempt) => {
        const known = attempt.toolchain ?? {};
        const next = keepFirst(known, event.state, { at: event.at, id: event.id });
        return next === known ? attempt : { ...attempt, toolchain: next };
      });
    case 'build.phase':
      return inAttempt(facts, event, (attempt) => foldPhase(attempt, event));
    case 'build.failed':
      return inAttempt(facts, event, (attempt) =>
        keepFirst(attempt, isUndecided(event) ? 'undecided' : 'ended', event),
      );
    case 'build.used':
      return inAttempt(facts, event, (attempt) => keepFirst(attempt, 'used', event));
    case 'build.stored':
      return inAttempt(facts, event, (attempt) => keepFirst(attempt, 'stored', event));
    case 'build.retrying':
    case 'build.succeeded':
      return inAttempt(facts, event, (attempt) => keepFirst(attempt, 'ended', event));
  }
}

/**
 * True for a failure that a retry may cure, and for a stop of which the builder cannot know the reason: the
 * task-watcher decides what follows when the task has stopped, and publishes `build.retrying`, or `build.failed` with
 * another code.
 */
export function isUndecided({ error: { code } }: Extract<DeploymentEvent, { type: 'build.failed' }>): boolean {
  return code === 'BUILD_STOPPED' || (isErrorCode(code) && ERRORS[code].fault === 'transient');
}

function keepFirst<T extends object, K extends keyof T>(owner: T, key: K, fact: T[K] & Stamp): T {
  const known = owner[key] as Stamp | undefined;
  return known && !isBefore(fact, known) ? owner : { ...owner, [key]: fact };
}

function inAttempt(
  facts: DeploymentFacts,
  event: Extract<DeploymentEvent, { attempt: number }>,
  change: (attempt: AttemptFacts) => AttemptFacts,
): DeploymentFacts {
  if (event.attempt > MAX_ATTEMPT) return facts;
  const ofTarget = facts.attempts[event.target] ?? {};
  const known: AttemptFacts = ofTarget[event.attempt] ?? { phases: {} };
  const next = change(known);
  if (next === known) return facts;
  return {
    ...facts,
    attempts: { ...facts.attempts, [event.target]: { ...ofTarget, [event.attempt]: next } },
  };
}

function foldPhase(attempt: AttemptFacts, event: Extract<DeploymentEvent, { type: 'build.phase' }>): AttemptFacts {
  const known = attempt.phases[event.phase] ?? {};
  const stamp = { at: event.at, id: event.id };
  const next =
    event.state === 'started'
      ? keepFirst(known, 'started', stamp)
      : keepFirst(known, 'finished', { ...stamp, ok: event.ok ?? true });
  return next === known ? attempt : { ...attempt, phases: { ...attempt.phases, [event.phase]: next } };
}

/** Times are compared as strings, so every one is brought to the same form: UTC with milliseconds. */
function normaliseEvent<E extends DeploymentEvent>(event: E): E {
  const at = new Date(event.at).toISOString();
  return at === event.at ? event : { ...event, at };
}
