import { z } from 'zod';
import { BUILDERS } from './builders.ts';
import { KafkaEnvSchema } from './kafka-env.ts';
import type { NodeMajor } from './node-lines.ts';
import { LimitsOfOwnersSchema } from './ownerLimits.ts';

/**
 * The environment of every function: set by the construct that makes the function, read by its `*.lambda.ts`. What the
 * runtime itself gives (`AWS_REGION`, credentials) is not listed. ARNs end in `_ARN`; secrets are never among the
 * values.
 */

const text = z.string().min(1);
const count = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a positive number')
  .transform(Number);
const list = text.transform((s) => s.split(',').filter(Boolean));
/** JSON in a variable, checked against a schema. */
const json = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((given, ctx): unknown => {
      try {
        return JSON.parse(given);
      } catch {
        ctx.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
const flag = z.enum(['true', 'false']).transform((s) => s === 'true');

const redis = {
  /** Host and port; no password. */
  REDIS_URL: text,
  /** Absent: Redis's default user. */
  REDIS_USERNAME: text.optional(),
  /** Secret whose string is the user's password. */
  REDIS_SECRET_ARN: text.optional(),
};
const kafka = {
  KAFKA_BROKERS: KafkaEnvSchema.shape.KAFKA_BROKERS,
  KAFKA_SECURITY: KafkaEnvSchema.shape.KAFKA_SECURITY,
  /** For SCRAM: secret holding `{"username", "password"}`. */
  KAFKA_SECRET_ARN: text.optional(),
  /** Secret holding `{"certificate"}`: the authority of brokers with certificates that the system does not trust. */
  KAFKA_CA_SECRET_ARN: text.optional(),
};
/** Secret that signs and verifies messages (`mac.ts`): `{"current": "…", "accepted": ["…"]}`. */
const signing = { EVENT_SIGNING_SECRET_ARN: text };
const bucket = { BUCKET: text };
/** `registry/repository` of the users' images. */
const userImages = { ECR_URI: text };
/** Secret holding owner → SHA-256 (hex) of that owner's tokens, as JSON. */
const tokens = { TOKENS_SECRET_ARN: text };
/** Secret holding the keys that git tokens and variables are sealed with (`lambdas/shared/secretBox.ts`). */
const dataKey = { DATA_KEY_SECRET_ARN: text };
const ringsCloneWorker = { CLONE_WORKER_ARN: text };
const ringsBuildWorker = { BUILD_WORKER_ARN: text };
const ringsReleaser = { RELEASER_ARN: text };
const ringsGitWorker = { GIT_WORKER_ARN: text };
/** Seconds. */
const timeouts = { FRONTEND_TIMEOUT: count, BACKEND_TIMEOUT: count };
/** `https://` address of the WebSocket API's stage, for pushing. */
const push = { WEBSOCKET_CALLBACK_URL: text };
/** `public`: https to public addresses. `any`: http, file and private addresses too, for emulators only. */
const git = { GIT_HOSTS: z.enum(['public', 'any']) };
const gitApis = {
  /** Self-hosted git hosts whose APIs may be called, with their port where it is not 443. */
  GIT_API_HOSTS: z
    .string()
    .default('')
    .transform((s) => s.split(',').filter(Boolean)),
};
/** Beginning of the ARNs of the topics that e-mail is sent by, one of each address. */
const mails = { MAIL_TOPICS_ARN: text };
/** The dimension of all metrics. */
const stage = { STAGE: text };
/** SDK endpoints that are handed on to builders; set for emulators only. */
const endpoints = { BUILDER_ENDPOINT_S3: text.optional(), BUILDER_ENDPOINT_ECR: text.optional() };

/** Names of clusters, tasks and containers, as the table of builders has them. */
export type BuilderVariable =
  | 'AWS_FRONTEND_CLUSTER'
  | 'AWS_BACKEND_CLUSTER'
  | `TASK${NodeMajor | 'BACKEND' | 'DOCKERFILE'}`
  | `FRONTEND${NodeMajor}CONTAINER`
  | 'BACKEND_CONTAINER';
const builders = Object.fromEntries(
  BUILDERS.flatMap((b) => Object.values(b.env)).map((name) => [name, text]),
) as Record<BuilderVariable, typeof text>;

/** The routes of the sites, a CloudFront KeyValueStore. Absent: the stage has none. */
const siteTable = { SITE_TABLE_ARN: text.optional() };
const ownDomains = {
  /** The domain of which every site has a part. */
  SITE_DOMAIN: text.optional(),
  /** Where domains of projects are served. Absent: the stage is not set up for them. */
  TENANTS_DISTRIBUTION_ID: text.optional(),
  CONNECTION_GROUP_ID: text.optional(),
  CONNECTION_ENDPOINT: text.optional(),
};

const ownerLimits = {
  /** Limits of owners (`ownerLimits.ts`). */
  OWNER_LIMITS: json(LimitsOfOwnersSchema).default({ all: {}, owners: {} }),
};
/** Holds `{projectId}`. */
const siteUrl = { SITE_URL_TEMPLATE: text };
const supersede = {
  /** Older deployments of a branch that a newer one ends: those that wait, also those that run, or none. */
  SUPERSEDE: z.enum(['waiting', 'running', 'off']).default('waiting'),
};

/** Present where backends run on Lambda. */
const services = {
  /** The boundary of the roles of running backends. */
  SERVICES_BOUNDARY_ARN: text.optional(),
  /** What calls by schedule are made with. */
  SERVICES_SCHEDULER_ROLE_ARN: text.optional(),
  SERVICES_LOG_DAYS: count.optional(),
  /** What backends that are attached to the VPC are in: subnets (ids, separated by commas) and their group. */
  SERVICES_SUBNETS: text.optional(),
  SERVICES_GROUP: text.optional(),
  /** Present where backends may be always on: the load balancer's listener, and what their tasks are made with. */
  SERVICES_LISTENER_ARN: text.optional(),
  SERVICES_VPC_ID: text.optional(),
  SERVICES_TASK_GROUP: text.optional(),
  SERVICES_OPEN_GROUPS: text.optional(),
  SERVICES_IMAGES_ARN: text.optional(),
};
/** Builders get a public address: their subnets have no NAT. */
const builderAddress = { BUILDER_PUBLIC_IP: flag.default(false) };
/** Backends are started before their build is a success. */
const runsServices = { RUN_SERVICES: flag.default(false) };

const MAKERS = {
  api: () =>
    z.object({
      ...mails,
      ...redis,
      ...dataKey,
      ...kafka,
      ...signing,
      ...bucket,
      ...tokens,
      ...ringsCloneWorker,
      ...ringsBuildWorker,
      ...ringsReleaser,
      ...ringsGitWorker,
      ...git,
      ...gitApis,
      ...siteUrl,
      ...ownerLimits,
      ...siteTable,
      ...ownDomains,
      ...supersede,
      /** Where logs are followed: API Gateway cannot stream. */
      LOG_STREAM_URL: text.optional(),
      ...services,
      STAGE: text.optional(),
    }),
  'clone-worker': () =>
    z.object({
      ...redis,
      ...dataKey,
      ...kafka,
      ...signing,
      ...bucket,
      ...ringsBuildWorker,
      ...git,
      /** Changes with the builders' images: what another version has built is built again. */
      BUILDERS_VERSION: text,
    }),
  'build-worker': () =>
    z.object({
      ...redis,
      ...dataKey,
      ...kafka,
      ...signing,
      /** For SCRAM: what builders log in with, a user that may write to the builders' topics and nothing else. */
      KAFKA_BUILDER_SECRET_ARN: text.optional(),
      ...builders,
      ...bucket,
      ...timeouts,
      ...endpoints,
      ...git,
      ...userImages,
      BUILD_ROLE_ARN: text,
      BUCKET_ARN: text,
      USER_IMAGES_ARN: text,
      /** Present where Kafka is MSK with IAM. */
      KAFKA_CLUSTER_ARN: text.optional(),
      BUILDER_SUBNETS: list,
      BUILDER_SECURITY_GROUPS: list,
      ...builderAddress,
      /** First attempts on Fargate Spot. */
      BUILDER_SPOT: flag,
      LIMIT_GLOBAL: count,
      LIMIT_PER_OWNER: count,
      LIMIT_PER_PROJECT: count,
      /** Builds at once of owners that have another limit than the rest, by name. */
      LIMIT_OWNERS: json(z.record(z.string(), z.int().min(1))).default({}),
      ...runsServices,
    }),
  'repo-analyzer': () => z.object({ ...tokens, ...bucket, ...git }),
  'event-projector': () =>
    z.object({
      ...redis,
      ...signing,
      ...bucket,
      ...userImages,
      ...ringsCloneWorker,
      ...ringsBuildWorker,
      ...ringsReleaser,
      ...ringsGitWorker,
      ...push,
      ...stage,
      ...runsServices,
      /** What the event source delivers again after a failure: the messages that failed, or their whole batch. */
      REDELIVERY: z.enum(['messages', 'batch']).default('messages'),
    }),
  'task-watcher': () =>
    z.object({
      ...mails,
      ...redis,
      ...kafka,
      ...signing,
      ...bucket,
      ...userImages,
      ...ringsCloneWorker,
      ...ringsBuildWorker,
      ...ringsReleaser,
      ...ringsGitWorker,
      ...timeouts,
      ...stage,
      ...siteTable,
      ...ownDomains,
      /** Names of the builders' clusters; absent: those of the table of builders. */
      BUILDER_CLUSTERS: list.optional(),
      ...builderAddress,
      ...services,
    }),
  'git-worker': () =>
    z.object({
      ...mails,
      ...redis,
      ...dataKey,
      ...kafka,
      ...signing,
      ...bucket,
      ...ringsCloneWorker,
      ...ringsBuildWorker,
      ...git,
      ...gitApis,
      ...siteUrl,
      ...ownerLimits,
      ...supersede,
    }),
  releaser: () =>
    z.object({
      ...redis,
      ...ringsGitWorker,
      ...bucket,
      ...push,
      ...siteTable,
      ...services,
      /** These are for the start of backends, which it tells Kafka of. */
      ...z.object({ ...kafka, ...signing, ...dataKey, ...stage }).partial().shape,
    }),
  'log-streamer': () => z.object({ ...redis, ...bucket, ...tokens }),
  websocket: () => z.object({ ...redis, ...bucket, ...tokens, ...push }),
  'kafka-topics': () => z.object({ ...kafka }),
  'dashboard-files': () => z.object({ ...bucket }),
  'site-fallback': () =>
    z.object({
      ...bucket,
      /** Sites are paths of one host (`/<project>/…`) rather than hosts of their own. */
      SITES_BY_PATH: flag,
    }),
} as const;

export type FunctionName = keyof typeof MAKERS;
type Schemas = { readonly [N in FunctionName]: ReturnType<(typeof MAKERS)[N]> };

/** Each is made when it is asked for: a function reads one, and a schema is dear to make. */
export const FunctionEnvSchemas = {} as Schemas;
for (const [name, make] of Object.entries(MAKERS)) {
  let made: z.ZodType | undefined;
  const get = () => (made ??= make());
  Object.defineProperty(FunctionEnvSchemas, name, { enumerable: true, get });
}

/** As the handler reads it. */
export type FunctionEnv<N extends FunctionName> = z.output<(typeof FunctionEnvSchemas)[N]>;
/** The environment as the construct sets it: strings, where optional ones may be missing. */
export type FunctionVariables<N extends FunctionName> = z.input<(typeof FunctionEnvSchemas)[N]>;
