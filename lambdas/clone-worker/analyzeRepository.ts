import type { BackendOverrides, FrontendOverrides } from '../../contract/api.ts';
import type { Lane } from '../../contract/lanes.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Clock } from '../shared/ports.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { withGitRepo } from '../shared/repo/gitRepo.ts';
import type { Resolve } from '../shared/repo/hostAddress.ts';
import { detectProjectType } from './services/detector/detectProjectType.ts';

export interface AnalyzeInput {
  readonly gitUrl: string;
  /** Branch, tag or full commit id. Default: the repository's HEAD. */
  readonly ref?: string | undefined;
  readonly gitToken?: string | undefined;
  /** Look only at this folder and below it. */
  readonly path?: string | undefined;
  readonly frontend?: false | FrontendOverrides | undefined;
  readonly backend?: false | BackendOverrides | undefined;
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

/**
 * The plan for a repository at a ref: what both `POST /analyze` and the clone-worker answer with. Nothing is checked out
 * and nothing of the repository is run. Throws a VerenError for everything that the repository or its host is to blame
 * for: GIT_*, REPO_*, REF_NOT_FOUND, PATH_NOT_FOUND, NOTHING_TO_DEPLOY, MANIFEST_INVALID, NODE_VERSION_UNSUPPORTED, NEEDS_SERVER.
 */
export async function analyzeRepository(input: AnalyzeInput): Promise<Plan> {
  const { clock = systemClock, policy, lane } = input;
  return withGitRepo(input, async ({ commit, isDefaultBranch, fs }) => ({
    commit,
    lane: lane ?? (isDefaultBranch ? 'production' : 'preview'),
    ...(await detectProjectType(fs, {
      path: input.path,
      frontend: input.frontend,
      backend: input.backend,
      today: new Date(clock.now()).toISOString().slice(0, 10),
      maxFileBytes: policy.maxFileBytes,
    })),
  }));
}
