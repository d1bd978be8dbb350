import type { Lane } from './lanes.ts';

/** Names that both sides of a wire agree on, other than those of the builders (`builders.ts`). */

/** Only the platform writes to `events`, and only builders write to the other two. */
export const TOPICS = { events: 'deployment-events', buildEvents: 'build-events', logs: 'build-logs' } as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];
export const BUILDER_TOPICS = [TOPICS.buildEvents, TOPICS.logs] as const;

export const QUEUES = { clone: 'clone', build: 'build', promote: 'promote' } as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** Functions that others can wake by an asynchronous invoke. */
export const WAKEABLE_FUNCTIONS = ['clone-worker', 'build-worker'] as const;
export type WakeableFunction = (typeof WAKEABLE_FUNCTIONS)[number];

export const DEFAULT_REGION = 'ap-south-1';
export const DEFAULT_BUCKET = 'veren-v2';

export const HANDOVER_PREFIX = '__handover/';

/** Layout of the bucket. A prefix ends with `/`; every key of a project is below one of these prefixes. */
export const s3Keys = {
  site: (projectId: string) => `__outputs/${projectId}/`,
  deployment: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/`,
  /** The published files of one deployment: never changed once the manifest is there. */
  deploymentFiles: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/files/`,
  /** Written last: its presence means that the immutable copy is complete. */
  deploymentManifest: (projectId: string, deploymentId: string) =>
    `__deployments/${projectId}/${deploymentId}/manifest.json`,
  /** The publication decision: which was first, the publication of a build or its cancellation. Written once. */
  verdict: (projectId: string, deploymentId: string, target: string) =>
    `__deployments/${projectId}/${deploymentId}/verdict-${target}.json`,
  /** Which deployment is live at `site(projectId)`, and what an interrupted promotion was doing. */
  promotion: (projectId: string) => `__deployments/${projectId}/promotion.json`,
  /**
   * The secrets of one start of a builder, which reads them once. Expires by the bucket's rules; `name` cannot be
   * guessed.
   */
  handover: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.json`,
  /** Written by the first reader of a hand-over, which keeps a second one from using it. */
  handoverClaim: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.claimed`,
  /** The caches of all lanes. */
  caches: (projectId: string) => `__cache/${projectId}/`,
  cache: (projectId: string, lane: Lane) => `__cache/${projectId}/${lane}/`,
  record: (deploymentId: string) => `__records/${deploymentId}.json`,
  /** The events of a record, from which Redis can be rebuilt when Kafka no longer has them. */
  events: (deploymentId: string) => `__records/events/${deploymentId}.json`,
  log: (deploymentId: string) => `__logs/${deploymentId}.ndjson`,
  /** A message that could not be read, kept for an operator. */
  parked: (topic: string, partition: number, offset: number) => `__parked/${topic}/${partition}/${offset}.json`,
} as const;

/** Image tag of a user's backend. Tags are immutable in the repository. */
export const imageTag = (projectId: string, deploymentId: string) => `${projectId}-${deploymentId}`;
