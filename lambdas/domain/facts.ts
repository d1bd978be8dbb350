import type { Target } from '../../contract/builders.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import type { Phase } from '../../contract/record.ts';

/** When a fact was stated, and by which event. Facts are ordered by `at`, then by `id`: a total order. */
export interface Stamp {
  readonly at: string;
  readonly id: string;
}

type EventOf<T extends DeploymentEvent['type']> = Extract<DeploymentEvent, { type: T }>;

export type AttemptEnd = EventOf<'build.succeeded' | 'build.failed' | 'build.retrying'>;

export interface AttemptFacts {
  readonly started?: EventOf<'build.started'>;
  /** The download of its toolchain. */
  readonly toolchain?: { readonly started?: Stamp; readonly finished?: Stamp };
  readonly phases: Readonly<Partial<Record<Phase, PhaseFacts>>>;
  readonly ended?: AttemptEnd;
  /** It has been built, and waits for the deployment's other part. */
  readonly stored?: EventOf<'build.stored'>;
  /** The builder's final event where it does not decide the build's end: see `isUndecided`. */
  readonly undecided?: EventOf<'build.failed'>;
  /** Its task has stopped, and what it is billed for. */
  readonly used?: EventOf<'build.used'>;
}

export interface PhaseFacts {
  readonly started?: Stamp;
  readonly finished?: Stamp & { readonly ok: boolean };
}

/**
 * All that is known of a deployment, as JSON: for every question the first answer by event time. Taking the first of two
 * answers is associative, commutative and idempotent, so the facts do not depend on the order or number of deliveries.
 */
export interface DeploymentFacts {
  readonly requested?: EventOf<'deployment.requested'>;
  readonly analyzing?: Stamp;
  readonly analyzed?: EventOf<'deployment.analyzed'>;
  readonly failed?: EventOf<'deployment.failed'>;
  readonly unchanged?: EventOf<'deployment.unchanged'>;
  readonly expired?: EventOf<'deployment.expired'>;
  readonly canceled?: EventOf<'deployment.canceled'>;
  readonly attempts: Readonly<Partial<Record<Target, Readonly<Record<string, AttemptFacts>>>>>;
  /** The latest time that any event carries. */
  readonly updatedAt: string;
}

export const emptyFacts: DeploymentFacts = { attempts: {}, updatedAt: '' };

/** True where `a` was stated before `b`. ISO 8601 times in UTC with milliseconds compare as strings. */
export const isBefore = (a: Stamp, b: Stamp) => a.at < b.at || (a.at === b.at && a.id < b.id);
