import type { FrontendEnv } from '../../../contract/builder-env.ts';
import type { Sandbox } from '../../shared/sandbox.ts';
import { BuildCache } from './cache/cache.ts';
import { cacheInputs } from './cache/inputs.ts';
import { installedState } from './cache/snapshot.ts';
import { s3Objects } from './objects.ts';
import { liveManifest, publish } from './publish.ts';

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

/** Everything that needs the S3 SDK. Imported lazily and while the fetch runs: loading it takes longer than starting. */
export function openStorage({ env, endpoint, cached, ...rest }: StorageOptions) {
  const objects = s3Objects({
    bucket: env.BUCKET,
    region: env.AWS_REGION,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    endpoint,
  });
  const projectId = env.PROJECT_ID;
  const cache = cached ? new BuildCache({ objects, projectId, path: env.FRONTENDPATH, ...rest }) : null;
  return {
    objects,
    cache,
    cacheInputs,
    installedState,
    publish,
    liveManifest: () => liveManifest(objects, projectId).catch(() => null),
  };
}
export type Storage = ReturnType<typeof openStorage>;
