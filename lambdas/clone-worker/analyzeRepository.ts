import { createHash } from 'node:crypto';
import type { BackendOverrides, CreateDeployment, FrontendOverrides } from '../../contract/api.ts';
import type { GitOptions } from '../../contract/deployment-options.ts';
import type { DeploymentRequest } from '../../contract/jobs.ts';
import type { Environment, Lane } from '../../contract/lanes.ts';
import type { Plan } from '../../contract/plan.ts';
import { chooseEnvironment } from '../domain/shown.ts';
import type { Clock } from '../shared/ports.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { withGitRepo } from '../shared/repo/gitRepo.ts';
import type { Resolve } from '../shared/repo/hostAddress.ts';
import type { UploadedPack } from '../shared/repo/receiveUpload.ts';
import { detectProjectType } from './services/detector/detectProjectType.ts';
import { listReads, type PlanReads } from './services/detector/reads.ts';

export interface AnalyzeInput {
  readonly gitUrl: string;
  /** Branch, tag or commit id, of which seven digits are enough. Default: the repository's HEAD. */
  readonly ref?: string | undefined;
  readonly gitToken?: string | undefined;
  /** Read in place of `gitUrl` and `ref`: a folder that was uploaded. */
  readonly uploaded?: UploadedPack | undefined;
  /** Look only at this folder and below it. */
  readonly path?: string | undefined;
  readonly frontend?: false | FrontendOverrides | undefined;
  readonly backend?: false | BackendOverrides | undefined;
  /** Fields among these that the project's settings have decided, and not the request. */
  readonly fromProject?: readonly string[] | undefined;
  /** Paths that builds read besides what their manifests name. */
  readonly alsoReads?: readonly string[] | undefined;
  /** What is fetched for a build besides the files of the commit. */
  readonly git?: GitOptions | undefined;
  readonly publication?: CreateDeployment['publication'];
  /** Set for a redeployment, whose ref is a commit: the ref of the deployment before. */
  readonly resolved?: DeploymentRequest['resolved'];
  /** Given by a redeployment. Otherwise that of the environment. */
  readonly lane?: Lane | undefined;
  /** Default: `production` for the production branch or no ref, `preview` for any other ref. */
  readonly environment?: Environment | undefined;
  /** Default: the repository's default branch. */
  readonly productionBranch?: string | undefined;
  readonly policy: GitPolicy;
  /** Folder for the temporary repository. Default: the system's. */
  readonly workDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Looks host names up; for tests. Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
}

const systemClock: Clock = { now: () => Date.now() };

const named = <N extends string>(name: N, value: string | null | undefined) =>
  value ? ({ [name]: value } as Record<N, string>) : {};

/** A hash of what builds read: of the objects' ids, which stand for their contents. */
function hashInputs(
  { paths, commit: readsCommit }: PlanReads,
  commit: string,
  oid: (path: string) => string | undefined,
): string {
  const objects = paths.map((path) => [path, oid(path) ?? null]);
  const text = JSON.stringify([objects, readsCommit ? commit : null]);
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The plan for a repository at a ref: what both `POST /analyze` and the clone-worker answer with. Nothing is checked out
 * and nothing of the repository is run. Throws a VerenError for everything that the repository or its host is to blame
 * for: GIT_*, REPO_*, REF_NOT_FOUND, PATH_NOT_FOUND, NOTHING_TO_DEPLOY, MANIFEST_INVALID, SETTINGS_FILE_INVALID, NODE_VERSION_UNSUPPORTED, NEEDS_SERVER.
 */
export async function analyzeRepository(input: AnalyzeInput): Promise<Plan> {
  const { clock = systemClock, policy } = input;
  return withGitRepo(input, async ({ commit, branch, tag, isDefaultBranch, fs, oid }) => {
    const environment = chooseEnvironment({ ...input, branch: branch ?? undefined, isDefaultBranch });
    const lane: Lane = input.lane ?? environment;
    const detected = await detectProjectType(fs, {
      path: input.path,
      frontend: input.frontend,
      backend: input.backend,
      fromProject: input.fromProject,
      git: input.git,
      publication: input.publication,
      hasToken: input.gitToken !== undefined,
      lane,
      today: new Date(clock.now()).toISOString().slice(0, 10),
      maxFileBytes: policy.maxFileBytes,
    });
    const read = await listReads(fs, { ...detected, git: detected.git ?? input.git }, input.alsoReads ?? []);
    return {
      commit,
      ...named('branch', input.resolved ? input.resolved.branch : branch),
      ...named('tag', input.resolved ? input.resolved.tag : tag),
      lane,
      environment,
      ...detected,
      inputs: hashInputs(read, commit, oid),
    };
  });
}
