import type { DeploymentEvent, LogLine } from '../../contract/events.ts';
import type { StoredNotes, StoredRequest } from '../../contract/jobs.ts';
import type { QueueName, Topic, WakeableFunction } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { DeploymentFacts } from '../domain/facts.ts';

/**
 * What the handlers need of the world, apart from AWS services that have an SDK and an endpoint (ECS, S3, ECR, STS).
 * One contract suite per port in `test/ports/` holds every adapter to what the comments here promise.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

// --- jobs -----------------------------------------------------------------------------------------------------------

export interface NewJob<T = unknown> {
  /** Unique within the queue: adding it again is a no-op, also (for at least 90 days) after it has ended. */
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

/** A job as whoever takes it gets it. */
export interface ClaimedJob<T = unknown> extends Job<T> {
  /** Its lease had ended: what the holder before has started may still run. */
  readonly leaseExpired: boolean;
}

/** How many jobs may be active at once. */
export interface Limits {
  readonly global: number;
  readonly perOwner: number;
  readonly perProject: number;
}

/**
 * A queue of jobs with leases. A job is *active* from `take` until `complete`, `retry` or the end of its lease, in
 * whichever process that happens: the lease is the crash recovery, and active jobs are what the limits count.
 */
export interface JobQueue {
  /** False where a job of this id was ever added. */
  enqueue(queue: QueueName, job: NewJob): Promise<boolean>;
  /**
   * A job that is due and within the limits, now active: the one whose lease has expired first, else the oldest waiting one.
   * What a job with an expired lease has started may still run, so none may start in its place before it is looked after.
   */
  claim(queue: QueueName, options: { leaseMs: number; limits?: Limits }): Promise<ClaimedJob | null>;
  /** Sets the lease to now + `leaseMs`. False where the job is not active. */
  heartbeat(queue: QueueName, id: string, leaseMs: number): Promise<boolean>;
  /** Merges into the notes of a waiting or active job. False where it is neither. */
  note(queue: QueueName, id: string, notes: StoredNotes): Promise<boolean>;
  /**
   * Merges into the notes of a waiting or active job and adds the jobs that follow from it to another queue, as one step:
   * both or neither. False, and nothing done, where the job is neither. Jobs that were ever added are left as they are.
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
  /** Takes a job out that is still waiting. `active` where it was too late. */
  remove(queue: QueueName, id: string): Promise<'removed' | 'active' | 'absent'>;
  get(queue: QueueName, id: string): Promise<Job | null>;
  /** Active jobs, those with an expired lease among them; and waiting jobs in the order in which they will be taken. */
  list(queue: QueueName, state: 'waiting' | 'active'): Promise<Job[]>;
}

// --- deployments ----------------------------------------------------------------------------------------------------

export interface StoredDeployment {
  readonly facts: DeploymentFacts;
  readonly record: DeploymentRecord;
  /** What was asked for, kept apart from the record since it holds the user's variables (sealed). Null after a rebuild. */
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
   * Atomically: claims the project for the owner, the idempotency key for the request, stores the deployment and adds its
   * first job, so that nothing accepted is ever without one. Keys belong to their owner. The same deployment again is
   * `created` again and changes nothing.
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
   * stored comes into being from its `deployment.requested` (Redis was lost); without one the result is null.
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
  /** Ids of deployments that are not terminal, oldest first: what the sweep looks at. */
  unfinished(): Promise<string[]>;
  projectOwner(projectId: string): Promise<string | null>;
}

// --- logs -----------------------------------------------------------------------------------------------------------

export type LogEntry = Omit<LogLine, 'seq'> & {
  readonly attempt: number;
  /** Number of the line within its target and attempt, from 0: what makes a repeat recognisable. */
  readonly n: number;
};

export interface LogChannel {
  /**
   * Appends what was not appended before (by target, attempt and n) and wakes followers. Where a channel has a limit, the
   * line that reaches it is followed by one of stream `system` that says so, and what comes later is counted but not kept.
   */
  append(deploymentId: string, entries: readonly LogEntry[]): Promise<void>;
  /** Lines with `seq > after`, oldest first, at most `limit`. */
  read(deploymentId: string, after: number, limit: number): Promise<LogLine[]>;
  /** Lines with `seq > after`, those to come included, with no gap and no repeat, until the signal aborts. `[]` after a `wake`. */
  follow(deploymentId: string, after: number, signal: AbortSignal): AsyncIterable<LogLine[]>;
  /** Makes every follower of the deployment yield, with no lines where there are none: its record has changed. */
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
  /** Who wrote it, proved (`contract/mac.ts`); `signedBus` adds it. */
  readonly mac?: string | undefined;
}

export interface FunctionWaker {
  /** Wakes a function; several wakes may be answered by one run. Never fails: the job is in the queue, the sweep finds it. */
  wake(name: WakeableFunction): Promise<void>;
}

export interface Notifier {
  /** `gone` where the connection does not exist any more. */
  send(connectionId: string, message: string): Promise<'sent' | 'gone'>;
}

/** Who listens to what. A subject is a deployment or a project. */
export interface Subscriptions {
  connect(connectionId: string, owner: string): Promise<void>;
  ownerOf(connectionId: string): Promise<string | null>;
  subscribe(connectionId: string, subject: Subject): Promise<void>;
  subscribers(subjects: readonly Subject[]): Promise<string[]>;
  disconnect(connectionId: string): Promise<void>;
}
/** Tickets that stand in for a token, to open one connection with. */
export interface Tickets {
  /** A new ticket of this owner, and until when it is good (ms). */
  issue(owner: string): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  /** Whose ticket this is, once; null for one that is unknown, used or too old. */
  redeem(ticket: string): Promise<string | null>;
}

export type Subject = `deployment:${string}` | `project:${string}`;
