import type { z } from 'zod';
import type { BuildJob } from '../../../../contract/jobs.ts';
import type { KafkaEnvSchema } from '../../../../contract/kafka-env.ts';
import { runtimeOf, type TargetPlan } from '../../../../contract/plan.ts';
import type { BuildVariables } from '../projectVariables.ts';

/** The part of a build's environment that comes from the platform, not from its job. */
export interface BuilderRuntime {
  readonly attempt: number;
  readonly credentials: BuildCredentials;
  /** Signs what the builder reports. */
  readonly eventKey: string;
  /** Absent where the project has no variables. `shared` has those of the request, too. */
  readonly projectVariables?: BuildVariables;
  /** Of an uploaded folder: where its pack is read. */
  readonly sourcePackUrl?: string;
  readonly region: string;
  readonly bucket: string;
  /** `registry/repository` of the users' images. */
  readonly ecrUri: string;
  readonly timeoutSeconds: number;
  readonly kafka: KafkaEnvironment;
  /** git's GIT_ALLOW_PROTOCOL: protocols separated by `:`. */
  readonly gitProtocols: string;
  /**
   * True where the site server answers with precompressed files. The laptop's does; CloudFront compresses by itself.
   */
  readonly precompress: boolean;
  /** Backends are run, so one that was built is held back until it has answered. @default - false */
  readonly runsServices?: boolean | undefined;
  /** SDK endpoints for emulators and the laptop; empty on AWS. */
  readonly endpoints: Readonly<Partial<Record<'AWS_ENDPOINT_URL_S3' | 'AWS_ENDPOINT_URL_ECR', string>>>;
}

/** The broker's part of the environment, as the container gets it. */
export type KafkaEnvironment = Readonly<z.input<typeof KafkaEnvSchema>>;

export interface BuildCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Variables for the commands of the build, each for the steps that may see it. */
function variableEnvironment({ env }: BuildJob, project: BuilderRuntime['projectVariables']) {
  if (!project) return { BUILD_ENV: JSON.stringify(env) };
  const { shared, installOnly, buildOnly, plain, secret, fingerprintKey } = project;
  return {
    BUILD_ENV: JSON.stringify(shared),
    INSTALL_ONLY_ENV: JSON.stringify(installOnly),
    BUILD_ONLY_ENV: JSON.stringify(buildOnly),
    PLAIN_VARIABLES: JSON.stringify(plain),
    SECRET_VARIABLES: JSON.stringify(secret),
    FINGERPRINT_KEY: fingerprintKey,
  };
}

export function commonEnvironment(job: BuildJob, context: BuilderRuntime) {
  return {
    GIT_REPOSITORY__URL: job.gitUrl,
    GIT_COMMIT: job.commit,
    GIT_ALLOW_PROTOCOL: context.gitProtocols,
    ...(job.gitToken !== undefined && { GIT_TOKEN: job.gitToken }),
    ...(context.sourcePackUrl === undefined ? gitEnvironment(job) : { SOURCE_PACK_URL: context.sourcePackUrl }),
    PROJECT_ID: job.projectId,
    DEPLOYMENTID: job.deploymentId,
    ATTEMPT: String(context.attempt),
    ...(job.correlationId !== undefined && { CORRELATION_ID: job.correlationId }),
    NODE_VERSION: String(job.plan.nodeVersion),
    ...runtimeEnvironment(job.plan),
    ...variableEnvironment(job, context.projectVariables),
    LANE: job.lane,
    BUILD_CACHE: job.cache,
    BUILD_TIMEOUT: String(context.timeoutSeconds),
    BUCKET: context.bucket,
    AWS_REGION: context.region,
    AWS_ACCESS_KEY_ID: context.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: context.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: context.credentials.sessionToken,
    EVENT_SIGNING_KEY: context.eventKey,
    ...context.endpoints,
    ...dropUndefined(context.kafka),
  };
}

/** Node's is the default of builders, whose version has a name of its own. */
function runtimeEnvironment(plan: TargetPlan) {
  const { name, version } = runtimeOf(plan);
  return name === 'node' ? {} : { RUNTIME: name, RUNTIME_VERSION: version ?? '' };
}

/** Variables for what is fetched besides the commit, and for the names of the ref. */
const gitEnvironment = ({ git = {}, ref, branch, tag }: BuildJob) =>
  dropUndefined({
    GIT_SUBMODULES: git.submodules ? '1' : undefined,
    GIT_LFS: git.lfs ? '1' : undefined,
    GIT_FETCH_DEPTH: git.fetchDepth === undefined ? undefined : String(git.fetchDepth),
    GIT_TAGS: git.tags ? '1' : undefined,
    GIT_REF: ref,
    GIT_BRANCH: branch,
    GIT_TAG: tag,
  });

/** `pnpm@9.15.0`, `npm`, or nothing. */
export const packageManager = ({ packageManager: pm }: TargetPlan) =>
  pm ? (pm.version ? `${pm.name}@${pm.version}` : pm.name) : '';

/** Variables that builds of both targets have. */
export type PlatformContext = Omit<
  BuilderRuntime,
  'credentials' | 'attempt' | 'eventKey' | 'projectVariables' | 'sourcePackUrl'
>;

const dropUndefined = (o: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(o).filter((e): e is [string, string] => e[1] !== undefined));
