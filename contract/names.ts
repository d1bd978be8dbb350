import type { Lane } from './lanes.ts';

/** Names that both sides of a wire agree on, other than those of the builders (`builders.ts`). */

/** `events` is written by the platform alone, the others by builders alone. */
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

/** Layout of the bucket. A prefix ends with `/`; every key of a project's is below one of them. */
export const s3Keys = {
  site: (projectId: string) => `__outputs/${projectId}/`,
  deployment: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/`,
  /** The published files of one deployment: never changed once the manifest is there. */
  deploymentFiles: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/files/`,
  /** Written last: its presence says that the immutable copy is whole. */
  deploymentManifest: (projectId: string, deploymentId: string) =>
    `__deployments/${projectId}/${deploymentId}/manifest.json`,
  /** Who was first, the publication of a build or its cancellation (`manifest.ts`, Verdict). Written once. */
  verdict: (projectId: string, deploymentId: string, target: string) =>
    `__deployments/${projectId}/${deploymentId}/verdict-${target}.json`,
  /** Which deployment is live at `site(projectId)`, and what an interrupted promotion was doing. */
  promotion: (projectId: string) => `__deployments/${projectId}/promotion.json`,
  /** What one start of a builder reads once: its secrets. Expires by the bucket's rules; `name` cannot be guessed. */
  handover: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.json`,
  /** Written by the first reader of a hand-over, and by no second one. */
  handoverClaim: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.claimed`,
  /** The caches of all lanes. */
  caches: (projectId: string) => `__cache/${projectId}/`,
  cache: (projectId: string, lane: Lane) => `__cache/${projectId}/${lane}/`,
  record: (deploymentId: string) => `__records/${deploymentId}.json`,
  /** The events that the record is made of: with them Redis can be rebuilt when Kafka has forgotten them. */
  events: (deploymentId: string) => `__records/events/${deploymentId}.json`,
  log: (deploymentId: string) => `__logs/${deploymentId}.ndjson`,
  /** A message that could not be read, kept for an operator. */
  parked: (topic: string, partition: number, offset: number) => `__parked/${topic}/${partition}/${offset}.json`,
} as const;

/** Image tag of a user's backend. Tags are immutable in the repository. */
export const imageTag = (projectId: string, deploymentId: string) => `${projectId}-${deploymentId}`;
