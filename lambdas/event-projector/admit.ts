import { isDeepStrictEqual } from 'node:util';
import { type BuilderEvent, builderEventId, type DeploymentEvent, type LogBatch } from '../../contract/events.ts';
import { imageTag, s3Keys } from '../../contract/names.ts';
import type { Artifact } from '../../contract/record.ts';
import type { DeploymentFacts } from '../domain/facts.ts';
import { MAX_ATTEMPT } from '../domain/reduce.ts';

/** Locations of this platform's artifacts. */
export interface ArtifactPlace {
  readonly bucket: string;
  /** `registry/repository` of the users' images. Absent: any. */
  readonly ecrUri?: string;
  /** Backends are run, so one that was built is held back until it is healthy. */
  readonly runsServices?: boolean;
}

/** Why a message is refused; null where it is accepted. */
export type Refusal = string | null;

/** AWS refuses signatures whose time differs by more, so a builder whose clock does could not publish anything. */
export const MAX_CLOCK_SKEW_MS = 900_000;

type Requested = NonNullable<DeploymentFacts['requested']>;

/** The reader's clock, and how far those of builders may be off. */
export interface Time {
  readonly now: number;
  /** Infinite where there is one clock (laptop): it may be set back between a request and its build's events. */
  readonly maxSkewMs: number;
}

/**
 * An event of the platform must not change what deployment a known id stands for. Its time is not checked: a proved
 * event of the platform is never dropped because a clock was set back meanwhile.
 */
export function refusalOfPlatformEvent(event: DeploymentEvent, known: Requested | undefined): Refusal {
  if (!known) return null;
  if (event.projectId !== known.projectId) return 'it names another project';
  if (event.type !== 'deployment.requested') return null;
  const same = event.owner === known.owner && event.gitUrl === known.gitUrl && event.ref === known.ref;
  return same && event.at >= known.at ? null : 'it would change what was requested';
}

/** What a builder may say of its own build, beyond what its MAC proves. */
export function refusalOfBuilderEvent(
  event: BuilderEvent,
  facts: DeploymentFacts,
  time: Time,
  place: ArtifactPlace,
): Refusal {
  const { requested } = facts;
  // The state was lost. The MAC proves that the event is of a build of ours; it has no effect before the request is
  // known.
  if (!requested) return null;
  const of = refusalOfSubject(event, requested) ?? refusalOfTime(event.at, requested, time);
  if (of) return of;
  if (event.attempt > MAX_ATTEMPT) return 'there is no such attempt';
  if (event.id !== builderEventId(event, whatOf(event))) return 'its id is not the one of what it says';
  if (hasArtifact(event) && !fitsBuild(event.artifact, event, place)) return 'its artifact is not its own';
  return repeatsOtherwise(event, facts) ? 'it says again what it has said, in another way' : null;
}

/**
 * Checks an unsigned event that the earlier version left on `deployment-events`. A function or a builder may have
 * written it, so it must be acceptable from either.
 */
export function refusalOfUnsigned(
  event: DeploymentEvent,
  facts: DeploymentFacts,
  time: Time,
  place: ArtifactPlace,
): Refusal {
  const { requested } = facts;
  if (!requested) return 'its deployment is not known';
  const of = refusalOfPlatformEvent(event, requested) ?? refusalOfTime(event.at, requested, time);
  if (of) return of;
  if (hasArtifact(event) && !fitsBuild(event.artifact, event, place)) return 'its artifact is not its own';
  const byBuilder = event.type === 'build.phase' || hasArtifact(event) || event.type === 'build.failed';
  return byBuilder && repeatsOtherwise(event, facts) ? 'it says again what it has said, in another way' : null;
}

export function refusalOfLines(batch: LogBatch, requested: Requested | undefined, time: Time): Refusal {
  if (batch.attempt > MAX_ATTEMPT) return 'there is no such attempt';
  if (!requested) return null;
  return (
    refusalOfSubject(batch, requested) ??
    batch.lines.reduce<Refusal>((known, { at }) => known ?? refusalOfTime(at, requested, time), null)
  );
}

const refusalOfSubject = ({ projectId }: { projectId: string }, requested: Requested): Refusal =>
  projectId === requested.projectId ? null : 'it names another project';

function refusalOfTime(at: string, requested: Requested, { now, maxSkewMs }: Time): Refusal {
  const said = Date.parse(at);
  if (said < Date.parse(requested.at) - maxSkewMs) return 'it says a time before its deployment was requested';
  return said > now + maxSkewMs ? 'it says a time that has not come' : null;
}

const hasArtifact = (event: DeploymentEvent) => event.type === 'build.succeeded' || event.type === 'build.stored';

const whatOf = (event: BuilderEvent) =>
  event.type === 'build.phase' ? (`${event.phase}-${event.state}` as const) : ('ended' as const);

function fitsBuild(artifact: Artifact, event: BuilderEvent, place: ArtifactPlace): boolean {
  const { projectId, deploymentId, target } = event;
  // Where nothing is run, no job would end the waiting of a backend, and its deployment would never end.
  if (target === 'backend' && event.type === 'build.stored' && !place.runsServices) return false;
  if (artifact.kind === 'folder')
    return (
      target === 'backend' &&
      artifact.bucket === place.bucket &&
      artifact.key === s3Keys.serviceFolder(projectId, deploymentId)
    );
  if (artifact.kind === 'image') {
    const tag = `:${imageTag(projectId, deploymentId)}`;
    const repository = artifact.uri.slice(0, -tag.length);
    return target === 'backend' && artifact.uri.endsWith(tag) && repository === (place.ecrUri ?? repository);
  }
  return target === 'frontend' && artifact.bucket === place.bucket && artifact.prefix === s3Keys.site(projectId);
}

/** A build cannot change its result or the time of a phase afterwards. The same event again is a repeat. */
function repeatsOtherwise(event: BuilderEvent, { attempts }: DeploymentFacts): boolean {
  const attempt = attempts[event.target]?.[event.attempt];
  if (!attempt) return false;
  if (event.type === 'build.phase') {
    const known = attempt.phases[event.phase]?.[event.state];
    return known?.id === event.id && Date.parse(known.at) !== Date.parse(event.at);
  }
  const said = [attempt.ended, attempt.undecided, attempt.stored].find((end) => end?.id === event.id);
  return said !== undefined && !isDeepStrictEqual(said, { ...event, at: new Date(event.at).toISOString() });
}
