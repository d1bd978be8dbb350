import type { FrontendEnv } from '../../../contract/builder-env.ts';
import { builderObjects } from '../../shared/objects.ts';
import type { Sandbox } from '../../shared/sandbox.ts';
import { BuildCache } from './cache/cache.ts';
import { compiledFolders } from './cache/folders.ts';
import { cacheInputs } from './cache/inputs.ts';
import { listInstalled } from './cache/installed.ts';
import { chooseOutput } from './choose-output.ts';
import { markTime } from './find-output.ts';
import { isSourceFolder } from './own-folder.ts';
import { liveManifest, publishSite } from './publish.ts';
import { inspectOutput } from './scan/inspect.ts';

export interface StorageOptions {
  readonly env: FrontendEnv;
  readonly endpoint: string | undefined;
  readonly work: string;
  readonly sandbox: Sandbox;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** False where nothing is installed or built, or the user does not want it. */
  readonly cached: boolean;
}

/** Everything that is needed from the install on. Imported lazily, while the fetch runs. */
export function openStorage({ env, endpoint, cached, ...rest }: StorageOptions) {
  const objects = builderObjects(env, endpoint);
  const projectId = env.PROJECT_ID;
  const { LANE: lane, BUILD_CACHE: use, DEPLOYMENTID: deploymentId, FRONTENDPATH: path } = env;
  const kept = compiledFolders(path, env.COMPILED_FOLDERS);
  const cache = cached ? new BuildCache({ objects, projectId, lane, use, deploymentId, path, kept, ...rest }) : null;
  return {
    objects,
    cache,
    cacheInputs,
    listInstalled,
    publish: publishSite,
    inspectOutput,
    isSourceFolder,
    markTime,
    chooseOutput,
    liveManifest: () => liveManifest(objects, projectId).catch(() => null),
  };
}
export type Storage = ReturnType<typeof openStorage>;
