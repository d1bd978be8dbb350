import type { DnsEntry, DomainStatus } from '../../contract/domains.ts';
import type { DeploymentEvent, LogLine } from '../../contract/events.ts';
import type { StoredNotes, StoredRequest } from '../../contract/jobs.ts';
import type { QueueName, Topic, WakeableFunction } from '../../contract/names.ts';
import type { Caller } from '../../contract/people.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import type { DeploymentFacts } from '../domain/facts.ts';

/**
 * The ports of the handlers. AWS services that have an SDK and an endpoint (ECS, S3, ECR, STS) have none. One contract
 * suite per port in `test/ports/` checks that every adapter does what the comments here say.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

// --- jobs -----------------------------------------------------------------------------------------------------------

export interface NewJob<T = unknown> {
  /** Unique within the queue: enqueueing it again does nothing, also (for at least 90 days) after it has ended. */
  readonly id: string;
  readonly data: T;
  readonly owner: string;
  readonly projectId: string;
}

export interface Job<T = unknown> extends NewJob<T> {
  readonly state: 'waiting' | 'active';
  /** Counts from 1; grows with `retry`, not with an expired lease. */
  readonly attempt: number;
  readonly addedAt: number;
  /** Waiting: not before this time (ms). */
  readonly runAt: number;
  /** Active: the lease ends at this time (ms). */
  readonly leaseUntil?: number;
  /** Notes that a holder of the job has kept, e.g. the task's ARN. */
  readonly notes: StoredNotes;
}

/** A job as `claim` returns it. */
export interface ClaimedJob<T = unknown> extends Job<T> {
  /** Its lease had expired: a task that its last holder has started may still run. */
  readonly leaseExpired: boolean;
}

/** How many jobs may be active at once. */
export interface Limits {
  readonly global: number;
  readonly perOwner: number;
  readonly perProject: number;
  /** Owners that have another limit than `perOwner`. */
  readonly owners?: Readonly<Record<string, number>> | undefined;
}

/**
 * A queue of jobs with leases. A job is *active* from `claim` until `ack`, `retry` or `requeue`, in whichever process
 * they are called. An active job whose lease has expired can be claimed again, which is how a crash of its holder is
 * survived. The limits count active jobs.
 */
export interface JobQueue {
  /** False where a job of this id was enqueued before. */
  enqueue(queue: QueueName, job: NewJob): Promise<boolean>;
  /**
   * Makes a job active that is due and within the limits: one whose lease has expired, else the oldest waiting one. The
   * task of a job with an expired lease may still run, so that job comes before any other that could get its slot.
   */
  claim(queue: QueueName, options: { leaseMs: number; limits?: Limits }): Promise<ClaimedJob | null>;
  /** Sets the lease to now + `leaseMs`. False where the job is not active. */
  heartbeat(queue: QueueName, id: string, leaseMs: number): Promise<boolean>;
  /** Merges into the notes of a waiting or active job. False where it is neither. */
  note(queue: QueueName, id: string, notes: StoredNotes): Promise<boolean>;
  /**
   * Merges into the notes of a waiting or active job and adds the jobs that follow from it to another queue, as one step:
   * both or neither. False, and nothing done, where the job has ended. Jobs that were enqueued before stay as they are.
   */
  enqueueFollowing(queue: QueueName, id: string, notes: StoredNotes, to: QueueName, jobs: NewJob[]): Promise<boolean>;
  /** Ends a waiting or active job and frees its slot. False where it had ended before. */
  ack(queue: QueueName, id: string): Promise<boolean>;
  /**
   * Puts an active job whose attempt is `attempt` back as waiting, due after `delayMs`, with `attempt + 1` and, in place of
   * its notes, the given ones. False where it is not active in that attempt: so two callers cannot both retry.
   */
  retry(queue: QueueName, id: string, attempt: number, delayMs: number, notes?: StoredNotes): Promise<boolean>;
  /** Puts an active job back as waiting with the same attempt (nothing was started). False where it is not active. */
  requeue(queue: QueueName, id: string, delayMs: number): Promise<boolean>;
  /** Removes a job that is still waiting. `active` where it was claimed before. */
  remove(queue: QueueName, id: string): Promise<'removed' | 'active' | 'absent'>;
  get(queue: QueueName, id: string): Promise<Job | null>;
  /**
   * Active jobs, those with an expired lease among them; or waiting jobs in the order in which they will be claimed.
   */
  list(queue: QueueName, state: 'waiting' | 'active'): Promise<Job[]>;
}

// --- deployments ----------------------------------------------------------------------------------------------------

export interface StoredDeployment {
  readonly facts: DeploymentFacts;
  readonly record: DeploymentRecord;
  /** The user's request, stored apart from the record since it holds the sealed variables. Null after a rebuild. */
  readonly request: StoredRequest | null;
}

export type CreateResult =
  | { readonly kind: 'created' }
  /** The idempotency key was used for the same request before. */
  | { readonly kind: 'replayed'; readonly deploymentId: string }
  /** The idempotency key was used for another request. */
  | { readonly kind: 'key-reused' }
  /** The project belongs to another owner. */
  | { readonly kind: 'foreign-project' };

export interface DeploymentStore {
  /**
   * In one step: claims the project for the owner and the idempotency key for the request, stores the deployment and
   * enqueues its first job, so that no accepted deployment is without one. Keys belong to their owner. The same
   * deployment again gives `created` again and changes nothing.
   */
  create(input: {
    readonly requested: Extract<DeploymentEvent, { type: 'deployment.requested' }>;
    readonly request: StoredRequest;
    readonly idempotency?: { readonly key: string; readonly fingerprint: string };
    readonly job?: NewJob & { readonly queue: QueueName };
  }): Promise<CreateResult>;
  /** True where `create` with this key of the owner would make nothing: a deployment has it. */
  knowsKey(owner: string, key: string): Promise<boolean>;
  get(deploymentId: string): Promise<StoredDeployment | null>;
  /** Writes something that is of no account. Throws UNAVAILABLE where nothing can be written, as in a full Redis. */
  probe(): Promise<void>;
  /** Stores another form of a deployment's request, such as one sealed with another key. False where it has none. */
  replaceRequest(deploymentId: string, request: StoredRequest): Promise<boolean>;
  /**
   * Folds events into the stored state with the reducer, atomically against other folds. A deployment that is not
   * stored is made from its `deployment.requested` (Redis was lost); without that event the result is null.
   */
  fold(
    deploymentId: string,
    events: readonly DeploymentEvent[],
  ): Promise<{ before: DeploymentRecord | null; after: DeploymentRecord } | null>;
  /** Newest first. `cursor` is the last id of the page before. */
  list(query: {
    owner: string;
    projectId?: string;
    limit: number;
    cursor?: string;
  }): Promise<{ items: DeploymentRecord[]; cursor?: string }>;
  /** Ids of deployments that are not terminal, oldest first; the sweep looks at them. */
  unfinished(): Promise<string[]>;
  /** Forgets a deployment and its request; a key that named it counts as new. Safe to repeat. */
  remove(deploymentId: string): Promise<void>;
  projectOwner(projectId: string): Promise<string | null>;
  /** Claims a project, as its first deployment does. False where it is another owner's. */
  claimProject(projectId: string, owner: string): Promise<boolean>;
  /** Gives a claim up, where the owner has it. */
  releaseProject(projectId: string, owner: string): Promise<void>;
  /** All claims, in no order. */
  claims(): Promise<{ projectId: string; owner: string }[]>;
}

// --- logs -----------------------------------------------------------------------------------------------------------

export type LogEntry = Omit<LogLine, 'seq'> & {
  readonly attempt: number;
  /** Number of the line within its target and attempt, from 0, by which a repeat is recognised. */
  readonly n: number;
};

export interface LogChannel {
  /**
   * Appends lines that were not appended before (by target, attempt and n) and wakes followers. When a log reaches the
   * channel's limit, a line of stream `system` says so, and later lines are counted but not kept.
   */
  append(deploymentId: string, entries: readonly LogEntry[]): Promise<void>;
  /** Lines with `seq > after`, oldest first, at most `limit`. */
  read(deploymentId: string, after: number, limit: number): Promise<LogLine[]>;
  /** Lines with `seq > after`, those to come included, with no gap and no repeat, until the signal aborts. `[]` after a `wake`. */
  follow(deploymentId: string, after: number, signal: AbortSignal): AsyncIterable<LogLine[]>;
  /** Makes every follower of the deployment yield, also without new lines, because its record has changed. */
  wake(deploymentId: string): Promise<void>;
  /** How many distinct lines of an attempt have been appended. */
  count(deploymentId: string, target: LogEntry['target'], attempt: number): Promise<number>;
  /** Forgets a log. Safe to repeat. */
  remove(deploymentId: string): Promise<void>;
}

// --- messages -------------------------------------------------------------------------------------------------------

export interface EventBus {
  /** Resolves when the messages are durable. Messages of one key keep their order. */
  publish(topic: Topic, messages: readonly BusMessage[]): Promise<void>;
}

export interface BusMessage {
  readonly key: string;
  readonly value: string;
  /** Proves the writer of the message (`contract/mac.ts`); `signedBus` adds it. */
  readonly mac?: string | undefined;
}

export interface FunctionWaker {
  /**
   * Wakes a function; one run may answer several wakes. Never fails: the job is in the queue, where the sweep finds it.
   */
  wake(name: WakeableFunction): Promise<void>;
}

export interface Notifier {
  /** `gone` where the connection does not exist any more. */
  send(connectionId: string, message: string): Promise<'sent' | 'gone'>;
}

/** Connections and the subjects that they have subscribed to: deployments or projects. */
export interface Subscriptions {
  connect(connectionId: string, caller: Caller): Promise<void>;
  callerOf(connectionId: string): Promise<Caller | null>;
  subscribe(connectionId: string, subject: Subject): Promise<void>;
  subscribers(subjects: readonly Subject[]): Promise<string[]>;
  disconnect(connectionId: string): Promise<void>;
}
/** Tickets: each opens one connection in place of a token. */
export interface Tickets {
  /** A new ticket of this caller, and the time at which it expires (ms). */
  issue(caller: Caller): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  /** Who has asked for a ticket, which is used up by this call; null for one that is unknown, used or expired. */
  redeem(ticket: string): Promise<Caller | null>;
}

/** Counts what somebody does within a sliding window of time. */
export interface RateLimit {
  /**
   * Counts one more, unless there would be more than `limit` in the window. What is refused does not count. Of those who
   * come at the same moment some may be refused although there is room, and never one too many gets through.
   */
  take(key: string, limit: number, windowMs: number): Promise<RateTaken>;
  /** How many there are in the window, rounded up. */
  count(key: string, windowMs: number): Promise<number>;
}

export interface RateTaken {
  readonly taken: boolean;
  /** Until there is room for one more; 0 where it was taken. */
  readonly waitMs: number;
}

export type Subject = `deployment:${string}` | `project:${string}`;

/**
 * What serving knows: which host shows which deployment. A host is a label below the stage's domain (`shop`,
 * `x7k…--shop`), which is also the first part of the path where a stage has no domain, or a project's own domain in full.
 * It follows the projects' documents, so it can be written again from them at any time.
 */
export interface Sites {
  /** Writes all changes as one step; null removes a host. Throws UNAVAILABLE, and then nothing was changed. */
  point(changes: readonly SiteChange[]): Promise<void>;
  find(host: string): Promise<SiteRoute | null>;
  /** Every host that shows the project. It reads the whole table, so it is for what happens seldom. */
  listRoutes(projectId: string): Promise<ShownHost[]>;
}

export interface ShownHost {
  readonly host: string;
  readonly route: SiteRoute;
}

/** Own domains of projects, as what serves the sites knows them. */
export interface Domains {
  /** What has to be entered at the DNS host for a name to lead here, without the proof. */
  entries(name: string): Promise<DnsEntry[]>;
  /** True where the name's DNS holds this TXT value, so that whoever may change it wants this project. */
  proves(entry: DnsEntry): Promise<boolean>;
  /** Makes the platform answer for a name whose owner is proved, and says how far it is. May be repeated. */
  attach(name: string): Promise<DomainProgress>;
  /** The platform does not answer for the name any more. May be repeated. */
  detach(name: string): Promise<void>;
  /** Names that were detached and of which something is left. */
  listDetached(): AsyncIterable<string>;
  /** Removes what is left of a name, unless it was attached again. False where it has to stay for now. */
  removeDetached(name: string): Promise<boolean>;
}

export interface DomainProgress {
  readonly status: DomainStatus;
  /** What is in the way, in one sentence. */
  readonly problem?: string;
}

export interface SiteChange {
  readonly host: string;
  readonly route: SiteRoute | null;
}
