import type { Lane } from './lanes.ts';

/** Names that both sides of a wire agree on, other than those of the builders (`builders.ts`). */

/** Only the platform writes to `events`, and only builders write to the other two. */
export const TOPICS = { events: 'deployment-events', buildEvents: 'build-events', logs: 'build-logs' } as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];
export const BUILDER_TOPICS = [TOPICS.buildEvents, TOPICS.logs] as const;

/** Stands before the id of an upload, where the URL of a repository would be. */
export const UPLOAD_SCHEME = 'upload:';

export const QUEUES = {
  clone: 'clone',
  build: 'build',
  promote: 'promote',
  release: 'release',
  copy: 'copy',
  service: 'service',
  delivery: 'delivery',
  report: 'report',
  notification: 'notification',
} as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** Functions that others can wake by an asynchronous invoke. */
export const WAKEABLE_FUNCTIONS = ['clone-worker', 'build-worker', 'releaser', 'git-worker'] as const;
export type WakeableFunction = (typeof WAKEABLE_FUNCTIONS)[number];

/** Of what dashboard-files is packed with: keys, types and how long they are cached. */
export const DASHBOARD_LIST = 'list.json';

export const DEFAULT_REGION = 'ap-south-1';
export const DEFAULT_BUCKET = 'veren-v2';

export const PROJECTS_PREFIX = '__projects/';
export const DELETIONS_PREFIX = '__deletions/';
export const GIT_PREFIX = '__git/';
export const HANDOVER_PREFIX = '__handover/';
export const UPLOADS_PREFIX = '__uploads/';

/** Layout of the bucket. A prefix ends with `/`; every key of a project is below one of these prefixes. */
export const s3Keys = {
  site: (projectId: string) => `__outputs/${projectId}/`,
  deployments: (projectId: string) => `__deployments/${projectId}/`,
  deployment: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/`,
  /** The published files of one deployment: never changed once the manifest is there. */
  deploymentFiles: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/files/`,
  /** Written last: its presence means that the immutable copy is complete. */
  deploymentManifest: (projectId: string, deploymentId: string) =>
    `__deployments/${projectId}/${deploymentId}/manifest.json`,
  /** What a backend runs from that was built without a container engine (laptop). */
  serviceFolder: (projectId: string, deploymentId: string) => `__deployments/${projectId}/${deploymentId}/service.tar`,
  /** The publication decision: which was first, the publication of a build or its cancellation. Written once. */
  verdict: (projectId: string, deploymentId: string, target: string) =>
    `__deployments/${projectId}/${deploymentId}/verdict-${target}.json`,
  /** Which deployment `site(projectId)` is a copy of, and what an interrupted copy was doing. */
  promotion: (projectId: string) => `__deployments/${projectId}/promotion.json`,
  /** Which deployment was built from what: by a hash of it, the deployment's id. */
  builds: (projectId: string) => `__builds/${projectId}/`,
  /** What a project's deployments cost, a document for each month. */
  costs: (projectId: string) => `__costs/${projectId}/`,
  costsOf: (projectId: string, month: string) => `__costs/${projectId}/${month}.json`,
  handovers: (projectId: string) => `${HANDOVER_PREFIX}${projectId}/`,
  /**
   * The secrets of one start of a builder, which reads them once. Expires by the bucket's rules; `name` cannot be
   * guessed.
   */
  handover: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.json`,
  /** Written by the first reader of a hand-over, which keeps a second one from using it. */
  handoverClaim: (projectId: string, deploymentId: string, name: string) =>
    `${HANDOVER_PREFIX}${projectId}/${deploymentId}/${name}.claimed`,
  /** What a project has uploaded. A name below it says what is in it, so that only the project itself can ask for it. */
  uploads: (projectId: string) => `${UPLOADS_PREFIX}${projectId}/`,
  uploadedFiles: (projectId: string) => `${UPLOADS_PREFIX}${projectId}/files/`,
  uploadPacks: (projectId: string) => `${UPLOADS_PREFIX}${projectId}/packs/`,
  uploadedFile: (projectId: string, sha256: string) => `${UPLOADS_PREFIX}${projectId}/files/${sha256}`,
  /** The list of a folder's files. */
  uploadManifest: (projectId: string, uploadId: string) => `${UPLOADS_PREFIX}${projectId}/manifests/${uploadId}.json`,
  /** A folder as a git pack, from which builds are made. */
  uploadPack: (projectId: string, uploadId: string) => `${UPLOADS_PREFIX}${projectId}/packs/${uploadId}.pack`,
  /** The caches of all lanes. */
  caches: (projectId: string) => `__cache/${projectId}/`,
  cache: (projectId: string, lane: Lane) => `__cache/${projectId}/${lane}/`,
  record: (deploymentId: string) => `__records/${deploymentId}.json`,
  /** The events of a record, from which Redis can be rebuilt when Kafka no longer has them. */
  events: (deploymentId: string) => `__records/events/${deploymentId}.json`,
  /** Empty objects, by which the archived deployments of a project are listed. */
  archivedOf: (projectId: string) => `__records/projects/${projectId}/`,
  log: (deploymentId: string) => `__logs/${deploymentId}.ndjson`,
  project: (projectId: string) => `${PROJECTS_PREFIX}${projectId}.json`,
  /** Empty objects, by which the projects that are being deleted are listed. */
  deletion: (projectId: string) => `${DELETIONS_PREFIX}${projectId}`,
  /** Empty objects, by which the projects of an owner are listed. */
  ownerProjects: (owner: string) => `__owners/${encodeURIComponent(owner)}/projects/`,
  /** Members and tokens of an owner. */
  owner: (owner: string) => `__owners/${encodeURIComponent(owner)}/owner.json`,
  /** The GitHub App of an owner. */
  githubApp: (owner: string) => `__owners/${encodeURIComponent(owner)}/github-app.json`,
  /** What an owner's projects took in the bucket when they were last counted. */
  ownerStorage: (owner: string) => `__owners/${encodeURIComponent(owner)}/storage.json`,
  /** The audit list of an owner, one object a line; keys sort newest first. */
  audit: (owner: string) => `__audit/${encodeURIComponent(owner)}/`,
  /** Every version of a project's variables; a version never changes. */
  variables: (projectId: string) => `__variables/${projectId}/`,
  /** The table of routes of a stage without a CloudFront KeyValueStore. */
  routes: '__routes/routes.json',
  /** The newest version, changed by conditional writes. */
  currentVariables: (projectId: string) => `__variables/${projectId}/current.json`,
  /** An earlier version; written before the newest one is replaced. */
  earlierVariables: (projectId: string, version: number) => `__variables/${projectId}/${version}.json`,
  /** What a project and its git host have with each other. */
  git: (projectId: string) => `${GIT_PREFIX}${projectId}/`,
  /** What a project shares with its git host, sealed. */
  gitSecrets: (projectId: string) => `${GIT_PREFIX}${projectId}/secrets.json`,
  /** What the git host of a project was told. */
  gitReports: (projectId: string) => `${GIT_PREFIX}${projectId}/reports.json`,
  /** What was learned of a project's repository, and what waits for a member's word. */
  gitState: (projectId: string) => `${GIT_PREFIX}${projectId}/state.json`,
  /** What the repository of a project showed when it was looked at last. */
  gitWatch: (projectId: string) => `${GIT_PREFIX}${projectId}/watch.json`,
  /** The deploy hooks of a project. */
  deployHooks: (projectId: string) => `${GIT_PREFIX}${projectId}/hooks.json`,
  /** Which project a domain belongs to. */
  domain: (name: string) => `__domains/${name}.json`,
  /** A message that could not be read, kept for an operator. Offsets begin anew with a new log; the digest is its value's. */
  parked: (topic: string, partition: number, offset: number, digest: string) =>
    `__parked/${topic}/${partition}/${offset}-${digest}.json`,
  /** How often messages of a partition have failed that fail now. */
  failing: (topic: string, partition: number) => `__parked/${topic}/${partition}/failing.json`,
} as const;

/** Image tag of a user's backend. Tags are immutable in the repository. */
export const imageTag = (projectId: string, deploymentId: string) => `${projectId}-${deploymentId}`;
