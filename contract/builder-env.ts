import { z } from 'zod';
import { BuildEnvSchema, PROJECT_ID } from './api.ts';
import { NODE_MAJORS } from './builders.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { KafkaEnvSchema } from './kafka-env.ts';
import { CacheUseSchema, LaneSchema } from './lanes.ts';
import { AllowSecretsSchema } from './plan.ts';
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
/** JSON object of the user's variables. */
const userEnv = json(BuildEnvSchema, 'a JSON object of variables');

/** Names whose values must never be in an override, a log line or the environment of a child process. */
export const SECRET_ENV = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GIT_TOKEN',
  'BUILD_ENV',
  'KAFKA_PASSWORD',
  'EVENT_SIGNING_KEY',
] as const;

const common = {
  GIT_REPOSITORY__URL: text,
  GIT_COMMIT: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be a commit id'),
  /** Token for a private repository. Read by the fetch alone. */
  GIT_TOKEN: text.optional(),
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
  NODE_VERSION: z
    .string()
    .transform(Number)
    .pipe(
      z.union(
        NODE_MAJORS.map((n) => z.literal(n)) as [
          z.ZodLiteral<18>,
          z.ZodLiteral<20>,
          z.ZodLiteral<22>,
          z.ZodLiteral<24>,
        ],
      ),
    ),
  /** What builds the target, and which version of it; empty: the builder's own. NODE_VERSION is Node's alone. */
  RUNTIME: z.enum(RUNTIME_NAMES).default('node'),
  RUNTIME_VERSION: z.string().max(64).default(''),
  BUILD_ENV: userEnv.default({}),
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
  /** `1`: publish `.br` and `.gz` beside the originals, for a server that gives them out. CloudFront compresses by itself. */
  PRECOMPRESS: z.enum(['0', '1']).default('0'),
  /** `1`: the site is stored, and promoted by the platform when the deployment's other part has been built. */
  HOLD: z.enum(['0', '1']).default('0'),
  /** `1`: what serves the site honours its `_headers` and `_redirects`. */
  SITE_RULES: z.enum(['0', '1']).default('0'),
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
  PACKAGE_MANAGER: FrontendEnvSchema.shape.PACKAGE_MANAGER,
  /** `registry/repository` of the user's images. */
  ECR_URI: text,
});
export type BackendEnv = z.infer<typeof BackendEnvSchema>;

/** Names that the platform sets besides those of the schema: settings of the SDK, endpoints of the laptop. */
export const SDK_ENV = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_ECR', 'AWS_REQUEST_CHECKSUM_CALCULATION'] as const;
/** Where the whole environment is read once: a signed URL of a few minutes. */
export const HANDOVER_URL = 'HANDOVER_URL';

export type FrontendEnvName = keyof z.input<typeof FrontendEnvSchema> | (typeof SDK_ENV)[number];
export type BackendEnvName = keyof z.input<typeof BackendEnvSchema> | (typeof SDK_ENV)[number];
