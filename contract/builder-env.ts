import { z } from 'zod';
import { BuildEnvSchema, PROJECT_ID } from './api.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { KafkaEnvSchema } from './kafka-env.ts';
import { CacheUseSchema, LaneSchema } from './lanes.ts';
import { AllowSecretsSchema, CompiledFoldersSchema, NodeMajorSchema } from './plan.ts';
import { RUNTIME_NAMES } from './runtimes.ts';

/**
 * The environment of a builder's trusted process. Everything is a string, as containers have it. RunTask's overrides
 * hold what is not secret, and HANDOVER_URL, where the builder reads the whole environment once (`handover.ts`). A
 * builder that is started with the whole environment directly works as well. An empty command means that nothing is
 * run; an absent one means the default.
 */
export const DEFAULT_INSTALL_COMMAND = 'npm install';
export const DEFAULT_BUILD_COMMAND = 'npm run build';
/** RunTask: all overrides of a call together, as JSON. Source: ECS API reference, `TaskOverride`. */
export const MAX_OVERRIDES_LENGTH = 8_192;

const text = z.string().min(1);
const count = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a positive number')
  .transform(Number);
const json = <Schema extends z.ZodType>(schema: Schema, what: string) =>
  z.string().transform((s, ctx): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(s));
    } catch (e) {
      ctx.addIssue({ code: 'custom', message: `must be ${what}: ${(e as Error).message}` });
      return z.NEVER;
    }
  });
const flag = z.enum(['0', '1']).default('0');
/** JSON object of the user's variables: checked when they were set, and twice as many where request and project add up. */
const userEnv = json(z.record(BuildEnvSchema.keyType, BuildEnvSchema.valueType), 'a JSON object of variables');
const names = json(z.array(z.string()), 'a JSON list of names');

/** Names whose values must never be in an override, a log line or the environment of a child process. */
export const SECRET_ENV = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GIT_TOKEN',
  'SOURCE_PACK_URL',
  'BUILD_ENV',
  'INSTALL_ONLY_ENV',
  'BUILD_ONLY_ENV',
  'FINGERPRINT_KEY',
  'KAFKA_PASSWORD',
  'EVENT_SIGNING_KEY',
] as const;

const common = {
  GIT_REPOSITORY__URL: text,
  GIT_COMMIT: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be a commit id'),
  /** Token for a private repository. Read by the fetch alone. */
  GIT_TOKEN: text.optional(),
  /** Of an uploaded folder: where its pack is read, in place of GIT_REPOSITORY__URL. */
  SOURCE_PACK_URL: z.url().optional(),
  /** git's own variable: protocols separated by `:`. Default `https`; the laptop adds `http:file`. */
  GIT_ALLOW_PROTOCOL: text.default('https'),
  /** What the fetch brings besides the files of the commit (`GitOptionsSchema`). */
  GIT_SUBMODULES: flag,
  GIT_LFS: flag,
  /** Commits of the history; 0: all. */
  GIT_FETCH_DEPTH: z
    .string()
    .regex(/^\d{1,7}$/, 'must be a number of commits')
    .transform(Number)
    .default(1),
  GIT_TAGS: flag,
  /** The ref as it was asked for, and the branch or tag that it is. */
  GIT_REF: text.optional(),
  GIT_BRANCH: text.optional(),
  GIT_TAG: text.optional(),
  PROJECT_ID: z.string().regex(PROJECT_ID).max(63),
  DEPLOYMENTID: z.string().regex(/^[a-z0-9]{1,40}$/),
  ATTEMPT: count,
  /** The id of the request that the deployment began with; it is in the builder's own log lines and events. */
  CORRELATION_ID: CorrelationIdSchema.optional(),
  NODE_VERSION: z.string().transform(Number).pipe(NodeMajorSchema),
  /** What builds the target, and which version of it; empty: the builder's own. NODE_VERSION is Node's alone. */
  RUNTIME: z.enum(RUNTIME_NAMES).default('node'),
  RUNTIME_VERSION: z.string().max(64).default(''),
  /** Variables that both commands see: those of the request, and those of the project. */
  BUILD_ENV: userEnv.default({}),
  /** Variables of the project that the installation alone sees, and that the build command alone sees. */
  INSTALL_ONLY_ENV: userEnv.default({}),
  BUILD_ONLY_ENV: userEnv.default({}),
  /** Of these variables: whose values are masked whatever their name is, and whose are not masked. JSON lists of names. */
  SECRET_VARIABLES: names.default([]),
  PLAIN_VARIABLES: names.default([]),
  /** Fingerprints of variables are made with it, so that values cannot be guessed from them. */
  FINGERPRINT_KEY: text.optional(),
  /** Which of the project's caches the build may reach. */
  LANE: LaneSchema.default('preview'),
  /** `drop`: the caches are removed, and the build starts without. */
  BUILD_CACHE: CacheUseSchema.default('use'),
  /** Seconds for all phases together. */
  BUILD_TIMEOUT: count.default(1_800),
  /** The bucket: sites, and for both targets the publication decision and the caches of the project. */
  BUCKET: text,
  AWS_REGION: text,
  AWS_ACCESS_KEY_ID: text,
  AWS_SECRET_ACCESS_KEY: text,
  AWS_SESSION_TOKEN: text,
  ...KafkaEnvSchema.shape,
  /** Signs what the builder reports (`mac.ts`). The platform drops reports that are not signed. */
  EVENT_SIGNING_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
};

export const FrontendEnvSchema = z.object({
  ...common,
  /** Folder to build, relative to the repository root. */
  FRONTENDPATH: text.default('.'),
  /** Folder to install in: the workspace root. */
  INSTALLPATH: text.default('.'),
  INSTALLCOMMAND: z.string().default(DEFAULT_INSTALL_COMMAND),
  BUILDCOMMAND: z.string().default(DEFAULT_BUILD_COMMAND),
  /** Relative to FRONTENDPATH. Empty: the folder with an index.html that the build writes. */
  OUTPUT_DIR: z.string(),
  /** `1`: the user named OUTPUT_DIR, so no other folder takes its place. */
  OUTPUT_NAMED: z.enum(['0', '1']).default('1'),
  /** `name@version`, `name` alone for the image's default version, empty where there is no package manager. */
  PACKAGE_MANAGER: z
    .string()
    .regex(/^$|^(npm|pnpm|yarn|bun)(@[0-9A-Za-z.+-]+)?$/)
    .default(''),
  /** Limits of the output. */
  MAX_OUTPUT_FILES: count.default(50_000),
  MAX_OUTPUT_BYTES: count.default(1_073_741_824),
  /** What the scan for secrets may find, as a JSON list; see `AllowSecretsSchema`. */
  ALLOW_SECRETS: json(AllowSecretsSchema, 'a JSON list of kinds and paths').default([]),
  /** Where the framework keeps compiled code, as a JSON list; see `CompiledFoldersSchema`. */
  COMPILED_FOLDERS: json(CompiledFoldersSchema, 'a JSON list of folders').default([]),
  /** `1`: publish `.br` and `.gz` beside the originals, for a server that gives them out. CloudFront compresses by itself. */
  PRECOMPRESS: z.enum(['0', '1']).default('0'),
  /** `1`: the site is stored, and promoted by the platform when the deployment's other part has been built. */
  HOLD: z.enum(['0', '1']).default('0'),
});
export type FrontendEnv = z.infer<typeof FrontendEnvSchema>;

export const BackendEnvSchema = z.object({
  ...common,
  BACKEND_PATH: text.default('.'),
  INSTALLPATH: text.default('.'),
  INSTALLCOMMAND: z.string().default(DEFAULT_INSTALL_COMMAND),
  BUILDCOMMAND: z.string().default(''),
  /** Empty where none was found: START_COMMAND_MISSING. */
  STARTCOMMAND: z.string().default(''),
  PORT: count.default(3_000),
  /** The repository's own Dockerfile, relative to BACKEND_PATH, which is its context: nothing else of the plan is used. */
  DOCKERFILE: text.optional(),
  PACKAGE_MANAGER: FrontendEnvSchema.shape.PACKAGE_MANAGER,
  /** `registry/repository` of the user's images. */
  ECR_URI: text,
  /** `1`: what was built is stored, and the platform decides on it when it has seen the service answer. */
  HOLD: z.enum(['0', '1']).default('0'),
});
export type BackendEnv = z.infer<typeof BackendEnvSchema>;

/** Names that the platform sets besides those of the schema: settings of the SDK, endpoints of the laptop. */
export const SDK_ENV = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_ECR', 'AWS_REQUEST_CHECKSUM_CALCULATION'] as const;
/** Where the whole environment is read once: a signed URL of a few minutes. */
export const HANDOVER_URL = 'HANDOVER_URL';

export type FrontendEnvName = keyof z.input<typeof FrontendEnvSchema> | (typeof SDK_ENV)[number];
export type BackendEnvName = keyof z.input<typeof BackendEnvSchema> | (typeof SDK_ENV)[number];
