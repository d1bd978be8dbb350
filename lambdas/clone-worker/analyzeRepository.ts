import type { BackendOverrides, CreateDeployment, FrontendOverrides } from '../../contract/api.ts';
import type { GitOptions } from '../../contract/deployment-options.ts';
import type { DeploymentRequest } from '../../contract/jobs.ts';
import type { Lane } from '../../contract/lanes.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Clock } from '../shared/ports.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { withGitRepo } from '../shared/repo/gitRepo.ts';
import type { Resolve } from '../shared/repo/hostAddress.ts';
import { detectProjectType } from './services/detector/detectProjectType.ts';

export interface AnalyzeInput {
  readonly gitUrl: string;
  /** Branch, tag or commit id, of which seven digits are enough. Default: the repository's HEAD. */
  readonly ref?: string | undefined;
  readonly gitToken?: string | undefined;
  /** Look only at this folder and below it. */
  readonly path?: string | undefined;
  readonly frontend?: false | FrontendOverrides | undefined;
  readonly backend?: false | BackendOverrides | undefined;
  /** What is fetched for a build besides the files of the commit. */
  readonly git?: GitOptions | undefined;
  readonly publication?: CreateDeployment['publication'];
  /** Set for a redeployment, whose ref is a commit: the ref of the deployment before. */
  readonly resolved?: DeploymentRequest['resolved'];
  /** Given by a redeployment. Otherwise `production` for the default branch, and `preview` for any other ref. */
  readonly lane?: Lane | undefined;
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

/**
 * The plan for a repository at a ref: what both `POST /analyze` and the clone-worker answer with. Nothing is checked out
 * and nothing of the repository is run. Throws a VerenError for everything that the repository or its host is to blame
 * for: GIT_*, REPO_*, REF_NOT_FOUND, PATH_NOT_FOUND, NOTHING_TO_DEPLOY, MANIFEST_INVALID, SETTINGS_FILE_INVALID, NODE_VERSION_UNSUPPORTED, NEEDS_SERVER.
 */
export async function analyzeRepository(input: AnalyzeInput): Promise<Plan> {
  const { clock = systemClock, policy } = input;
  const laneOf = (isDefaultBranch: boolean): Lane => input.lane ?? (isDefaultBranch ? 'production' : 'preview');
  return withGitRepo(input, async ({ commit, branch, tag, isDefaultBranch, fs }) => ({
    commit,
    ...named('branch', input.resolved ? input.resolved.branch : branch),
    ...named('tag', input.resolved ? input.resolved.tag : tag),
    lane: laneOf(isDefaultBranch),
    ...(await detectProjectType(fs, {
      path: input.path,
      frontend: input.frontend,
      backend: input.backend,
      git: input.git,
      publication: input.publication,
      hasToken: input.gitToken !== undefined,
      lane: laneOf(isDefaultBranch),
      today: new Date(clock.now()).toISOString().slice(0, 10),
      maxFileBytes: policy.maxFileBytes,
    })),
  }));
}
