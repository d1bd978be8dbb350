import { TARGETS, type Target } from '../../contract/builders.ts';
import { describeError } from '../../contract/errors.ts';
import {
  type BuildRecord,
  type BuildStatus,
  type DeploymentRecord,
  type DeploymentStatus,
  type Failure,
  isTerminal,
  PHASES,
  type PhaseRecord,
} from '../../contract/record.ts';
import { costOf } from './costOf.ts';
import { type AttemptEnd, type AttemptFacts, type DeploymentFacts, isBefore, type Stamp } from './facts.ts';

type Ended = Exclude<AttemptEnd, { type: 'build.retrying' }>;
type Stored = NonNullable<AttemptFacts['stored']>;
/** How and when a deployment ended. */
interface End {
  readonly stamp: Stamp;
  readonly status: 'succeeded' | 'failed' | 'canceled';
  readonly error?: Failure | undefined;
  readonly sameAs?: string;
}

/**
 * The record that the facts amount to; null before the request is known. Derived, never stored as the truth, so that
 * every order of the same events gives the same record. The first terminal state wins, by event time. Between a
 * success and a cancellation, whose clocks may differ, the publication decision counts instead.
 */
export function toRecord(facts: DeploymentFacts): DeploymentRecord | null {
  const { requested } = facts;
  if (!requested) return null;
  const end = deploymentEnd(facts);
  const builds: Partial<Record<Target, BuildRecord>> = {};
  for (const target of TARGETS) {
    const build = buildRecord(facts, target, end);
    if (build) builds[target] = build;
  }
  const cost = costOf(facts);
  return {
    deploymentId: requested.deploymentId,
    projectId: requested.projectId,
    owner: requested.owner,
    ...(requested.correlationId !== undefined && { correlationId: requested.correlationId }),
    ...(requested.trigger && { trigger: requested.trigger }),
    ...(requested.askedBy && { askedBy: requested.askedBy }),
    ...(requested.redeployOf !== undefined && { redeployOf: requested.redeployOf }),
    gitUrl: requested.gitUrl,
    ref: requested.ref,
    ...(facts.analyzed?.plan.environment !== undefined && { environment: facts.analyzed.plan.environment }),
    commit: facts.analyzed?.plan.commit ?? null,
    ...(requested.variables && { variables: requested.variables }),
    status: end?.status ?? runningStatus(facts, builds),
    createdAt: requested.at,
    updatedAt: facts.updatedAt,
    ...(end && { finishedAt: end.stamp.at }),
    plan: facts.analyzed?.plan ?? null,
    builds,
    ...(end?.error && { error: end.error }),
    ...(end && { outcome: outcomeOf(facts, builds) }),
    ...(end?.sameAs !== undefined && { sameAs: end.sameAs }),
    ...(facts.expired && { expired: { at: facts.expired.at, reason: facts.expired.reason } }),
    ...(cost && { cost }),
  };
}

function outcomeOf(facts: DeploymentFacts, builds: DeploymentRecord['builds']): DeploymentRecord['outcome'] {
  const planned = TARGETS.filter((target) => facts.analyzed?.plan[target]);
  const published = TARGETS.filter((target) => builds[target]?.status === 'succeeded');
  if (published.length === 0) return 'none';
  return published.length < planned.length ? 'partial' : 'complete';
}

function runningStatus(facts: DeploymentFacts, builds: DeploymentRecord['builds']): DeploymentStatus {
  const started = TARGETS.some((t) => builds[t] && (builds[t].attempt > 1 || builds[t].status !== 'queued'));
  if (started) return 'building';
  return facts.analyzing || facts.analyzed ? 'analyzing' : 'queued';
}

/** The earliest of: analysis failed, canceled, nothing to build, every planned build ended. */
function deploymentEnd(facts: DeploymentFacts): End | undefined {
  const ends: End[] = [];
  if (facts.failed) ends.push({ stamp: facts.failed, status: 'failed', error: facts.failed.error });
  if (facts.canceled) ends.push({ stamp: facts.canceled, status: 'canceled' });
  if (facts.unchanged) ends.push({ stamp: facts.unchanged, status: 'succeeded', sameAs: facts.unchanged.sameAs });
  const builds = buildsEnd(facts);
  if (builds) ends.push(builds);
  return ends.reduce<End | undefined>((first, e) => (first && isBefore(first.stamp, e.stamp) ? first : e), undefined);
}

function buildsEnd(facts: DeploymentFacts): End | undefined {
  const plan = facts.analyzed?.plan;
  if (!plan) return undefined;
  const ended = TARGETS.filter((t) => plan[t]).map((t) => buildEnd(facts, t)?.ended ?? vainlyStored(facts, t));
  if (ended.length === 0 || ended.some((e) => e === undefined)) return undefined;
  const all = (ended as (Ended | Stored)[]).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const failed = all.find((e) => e.type === 'build.failed');
  const stamp = all[all.length - 1] as Stamp;
  if (failed && isRefusedByCancel(failed)) return { stamp, status: 'canceled' };
  return failed ? { stamp, status: 'failed', error: failed.error } : { stamp, status: 'succeeded' };
}

/** The builder found that the deployment had been canceled: true also where the cancellation's own event was lost. */
const isRefusedByCancel = (e: Ended) => e.type === 'build.failed' && e.error.code === 'DEPLOYMENT_CANCELED';

/** What the publication decision means for a success; undefined without a cancellation that asked for a decision. */
function decidePublication(facts: DeploymentFacts, target: Target, ended: Ended): 'stands' | 'void' | undefined {
  const published = facts.canceled?.published;
  if (ended.type !== 'build.succeeded' || !published) return undefined;
  return published.includes(target) ? 'stands' : 'void';
}

/** The first end, by event time, of any attempt; a retry is not an end. */
function buildEnd(facts: DeploymentFacts, target: Target): { attempt: number; ended: Ended } | undefined {
  let first: { attempt: number; ended: Ended } | undefined;
  for (const [n, { ended }] of Object.entries(facts.attempts[target] ?? {})) {
    if (!ended || ended.type === 'build.retrying' || decidePublication(facts, target, ended) === 'void') continue;
    if (!first || isBefore(ended, first.ended)) first = { attempt: Number(n), ended };
  }
  return first;
}

/**
 * The first stored artifact, by event time. That of an attempt that is being retried does not count, since a later
 * success of that attempt does not count either: the next attempt finds what was stored and reports it itself.
 */
export function storedBuild(facts: DeploymentFacts, target: Target): Stored | undefined {
  let first: Stored | undefined;
  for (const { stored, ended } of Object.values(facts.attempts[target] ?? {}))
    if (stored && ended?.type !== 'build.retrying' && (!first || isBefore(stored, first))) first = stored;
  return first;
}

/** The artifact that was stored and will never be published, since the other part of the deployment has failed. */
function vainlyStored(facts: DeploymentFacts, target: Target): Stored | undefined {
  const otherFailed = TARGETS.some((t) => t !== target && buildEnd(facts, t)?.ended.type === 'build.failed');
  return otherFailed ? storedBuild(facts, target) : undefined;
}

function buildRecord(facts: DeploymentFacts, target: Target, end: End | undefined): BuildRecord | undefined {
  const reused = end?.sameAs !== undefined ? facts.unchanged?.artifacts[target] : undefined;
  const planned = facts.analyzed?.plan[target];
  if (reused && planned) {
    const { runtime, nodeVersion } = planned;
    const of = { ...(runtime && { runtime }), nodeVersion, attempt: 1, phases: [] };
    return { status: 'succeeded', ...of, artifact: reused };
  }
  const attempts = facts.attempts[target] ?? {};
  const built = buildEnd(facts, target);
  // What ended after the deployment had ended does not count: a canceled deployment has no artifact.
  const stands = built !== undefined && decidePublication(facts, target, built.ended) === 'stands';
  const own = built && (stands || !(end && isBefore(end.stamp, built.ended))) ? built : undefined;
  const stored = own ? undefined : storedBuild(facts, target);
  const attempt = own?.attempt ?? stored?.attempt ?? currentAttempt(attempts);
  const shown: AttemptFacts = attempts[attempt] ?? { phases: {} };
  const plan = facts.analyzed?.plan[target];
  const nodeVersion = plan?.nodeVersion ?? shown.started?.nodeVersion;
  if (nodeVersion === undefined) return undefined;
  return {
    status: own ? endStatus(own.ended) : openStatus(shown, end),
    ...(plan?.runtime && { runtime: plan.runtime }),
    nodeVersion,
    attempt,
    ...(shown.started && { taskArn: shown.started.taskArn, startedAt: shown.started.at }),
    ...toolchainRecord(shown),
    phases: phaseRecords(shown),
    ...slowedRecord(shown),
    ...(own?.ended.type === 'build.succeeded' && { artifact: own.ended.artifact }),
    ...(own?.ended.type === 'build.failed' && !isRefusedByCancel(own.ended) && { error: own.ended.error }),
    ...(stored && !end && { stored: true }),
    ...(stored && end?.status === 'failed' && vainlyStored(facts, target) && { error: otherPartFailed(target) }),
  };
}

const otherPartFailed = (part: Target): Failure => ({
  code: 'OTHER_PART_FAILED',
  message: describeError('OTHER_PART_FAILED', { part }),
});

function endStatus(ended: Ended): BuildStatus {
  if (ended.type === 'build.succeeded') return 'succeeded';
  return isRefusedByCancel(ended) ? 'canceled' : 'failed';
}

function openStatus(attempt: AttemptFacts, end: End | undefined): BuildStatus {
  if (end && isTerminal(end.status)) return 'canceled';
  return attempt.started || attempt.stored || Object.keys(attempt.phases).length > 0 ? 'building' : 'queued';
}

function currentAttempt(attempts: Readonly<Record<string, AttemptFacts>>): number {
  let current = 1;
  for (const [n, facts] of Object.entries(attempts)) {
    current = Math.max(current, facts.ended?.type === 'build.retrying' ? Number(n) + 1 : Number(n));
  }
  return current;
}

function toolchainRecord({ toolchain: { started, finished } = {} }: AttemptFacts): Pick<BuildRecord, 'toolchain'> {
  const startedAt = started?.at ?? finished?.at;
  if (startedAt === undefined) return {};
  return { toolchain: { startedAt, ...(finished && { finishedAt: finished.at }) } };
}

function slowedRecord({ started }: AttemptFacts): Pick<BuildRecord, 'slowed'> {
  const budgetPercent = started?.budgetPercent;
  if (budgetPercent === undefined) return {};
  const spent = `${budgetPercent} % of the project's budget for builds were spent in this month`;
  return { slowed: { budgetPercent, message: `It ran on Spot capacity and alone, since ${spent}.` } };
}

function phaseRecords(attempt: AttemptFacts): PhaseRecord[] {
  return PHASES.flatMap((name) => {
    const { started, finished } = attempt.phases[name] ?? {};
    const startedAt = started?.at ?? finished?.at;
    if (startedAt === undefined) return [];
    return [{ name, startedAt, ...(finished && { finishedAt: finished.at, ok: finished.ok }) }];
  });
}

/** Number of lines that each finished build's attempt has sent: a follower of the log waits until it has seen them. */
export function expectedLogLines(facts: DeploymentFacts): Partial<Record<Target, { attempt: number; lines: number }>> {
  const expected: Partial<Record<Target, { attempt: number; lines: number }>> = {};
  for (const target of TARGETS) {
    const ended = buildEnd(facts, target)?.ended ?? storedBuild(facts, target);
    if (ended?.logLines !== undefined) expected[target] = { attempt: ended.attempt, lines: ended.logLines };
  }
  return expected;
}
