import type { DeploymentEvent, LogLine } from '../../contract/events.ts';
import type { StoredNotes, StoredRequest } from '../../contract/jobs.ts';
import type { QueueName, Topic, WakeableFunction } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
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
  get(deploymentId: string): Promise<StoredDeployment | null>;
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
  projectOwner(projectId: string): Promise<string | null>;
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
  connect(connectionId: string, owner: string): Promise<void>;
  ownerOf(connectionId: string): Promise<string | null>;
  subscribe(connectionId: string, subject: Subject): Promise<void>;
  subscribers(subjects: readonly Subject[]): Promise<string[]>;
  disconnect(connectionId: string): Promise<void>;
}
/** Tickets: each opens one connection in place of a token. */
export interface Tickets {
  /** A new ticket of this owner, and the time at which it expires (ms). */
  issue(owner: string): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  /** The owner of a ticket, which is used up by this call; null for one that is unknown, used or expired. */
  redeem(ticket: string): Promise<string | null>;
}

export type Subject = `deployment:${string}` | `project:${string}`;
