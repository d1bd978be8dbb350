import type { Target } from '../../contract/builders.ts';
import { type DeploymentEvent, EVENT_VERSION } from '../../contract/events.ts';
import type { LogFields } from '../../contract/log.ts';
import type { Plan } from '../../contract/plan.ts';
import type { ExpiryReason, Failure } from '../../contract/record.ts';

/**
 * Events that the platform publishes. `now` is in milliseconds. Ids are derived from the content, so repeats are
 * recognised.
 */

type EventOf<T extends DeploymentEvent['type']> = Extract<DeploymentEvent, { type: T }>;

/** The deployment that an event is about. */
export interface DeploymentRef {
  readonly deploymentId: string;
  readonly projectId: string;
  readonly correlationId?: string | undefined;
}

/** The build that an event is about. */
export interface BuildRef extends DeploymentRef {
  readonly target: Target;
  readonly attempt: number;
}

export type RequestedEvent = EventOf<'deployment.requested'>;
type Requested = Pick<
  RequestedEvent,
  | 'deploymentId'
  | 'projectId'
  | 'owner'
  | 'gitUrl'
  | 'ref'
  | 'correlationId'
  | 'variables'
  | 'trigger'
  | 'askedBy'
  | 'redeployOf'
>;

export const makeRequestedEvent = (
  { deploymentId, projectId, owner, gitUrl, ref, correlationId, variables, trigger, askedBy, redeployOf }: Requested,
  id: string,
  now: number,
): RequestedEvent => ({
  v: EVENT_VERSION,
  type: 'deployment.requested',
  id,
  at: toTimestamp(now),
  deploymentId,
  projectId,
  owner,
  ...pickCorrelation({ correlationId }),
  gitUrl,
  ref,
  ...(variables && { variables }),
  ...(trigger && { trigger }),
  ...(askedBy && { askedBy }),
  ...(redeployOf !== undefined && { redeployOf }),
});

export const makeAnalyzingEvent = (of: DeploymentRef, now: number): EventOf<'deployment.analyzing'> => ({
  ...envelope(of, 'deployment.analyzing', now),
  type: 'deployment.analyzing',
});

export const makeAnalyzedEvent = (of: DeploymentRef, plan: Plan, now: number): EventOf<'deployment.analyzed'> => ({
  ...envelope(of, 'deployment.analyzed', now),
  type: 'deployment.analyzed',
  plan,
});

/** Nothing is built: the artifacts are those of an earlier deployment that was built from the same. */
export const makeUnchangedEvent = (
  of: DeploymentRef,
  { sameAs, artifacts }: Pick<EventOf<'deployment.unchanged'>, 'sameAs' | 'artifacts'>,
  now: number,
): EventOf<'deployment.unchanged'> => ({
  ...envelope(of, 'unchanged', now),
  ...{ type: 'deployment.unchanged', sameAs, artifacts },
});

/** The files and images of a deployment are not kept any more. */
export const makeExpiredEvent = (
  of: DeploymentRef,
  reason: ExpiryReason,
  now: number,
): EventOf<'deployment.expired'> => ({ ...envelope(of, 'expired', now), type: 'deployment.expired', reason });

/** @param cause Part of the id, so that the same failure found twice is one event. */
export const makeDeploymentFailedEvent = (
  of: DeploymentRef,
  error: Failure,
  now: number,
  cause: 'deployment.failed' | 'given-up' = 'deployment.failed',
): EventOf<'deployment.failed'> => ({ ...envelope(of, cause, now), type: 'deployment.failed', error });

export type CancelReason = { readonly reason: 'user' } | { readonly reason: 'superseded'; readonly by: string };

export const makeCanceledEvent = (
  of: DeploymentRef,
  published: Target[],
  why: CancelReason,
  now: number,
): EventOf<'deployment.canceled'> => ({
  ...envelope(of, 'canceled', now),
  type: 'deployment.canceled',
  published,
  ...why,
});

type BuildEvent = Extract<DeploymentEvent, { attempt: number }>;
type Body<E> = E extends BuildEvent ? Omit<E, 'v' | 'id' | 'at' | keyof BuildRef> : never;
/** The content of a build's event without the fields that identify it. */
export type BuildEventBody = Body<BuildEvent>;

/** An event about a build that the platform publishes, not the builder. */
export const makeBuildEvent = (build: BuildRef, body: BuildEventBody, now: number): DeploymentEvent => {
  const { deploymentId, projectId, target, attempt } = build;
  const what = body.type === 'build.toolchain' ? `${body.type}-${body.state}` : body.type;
  const id = `${deploymentId}-${target}-${attempt}-${what}`;
  const of = { deploymentId, projectId, target, attempt, ...pickCorrelation(build) };
  return { v: EVENT_VERSION, id, at: toTimestamp(now), ...of, ...body } as DeploymentEvent;
};

/** Fields by which log lines about a build are found. */
export const fieldsOfBuild = ({ deploymentId, projectId, target, attempt, correlationId }: BuildRef): LogFields => ({
  correlationId,
  deploymentId,
  projectId,
  target,
  attempt,
});

const envelope = (of: DeploymentRef, what: string, now: number) => {
  const { deploymentId, projectId } = of;
  const id = `${deploymentId}-${what}`;
  return { v: EVENT_VERSION, id, at: toTimestamp(now), deploymentId, projectId, ...pickCorrelation(of) } as const;
};

/** Deployments of earlier versions have none. */
const pickCorrelation = ({ correlationId }: Pick<DeploymentRef, 'correlationId'>) =>
  correlationId === undefined ? {} : { correlationId };

const toTimestamp = (now: number): string => new Date(now).toISOString();
