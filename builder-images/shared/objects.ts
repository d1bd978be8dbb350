import type { FrontendEnv } from '../../contract/builder-env.ts';
import { fastObjects } from './fast-objects.ts';
import type { Objects, ObjectsAccess } from './object-calls.ts';

/** Tries the fast path, then the SDK, which is loaded only when needed: a small site without faults never needs it. */
export function s3Objects(access: ObjectsAccess): Objects {
  const fast = fastObjects(access);
  let loading: Promise<Objects> | undefined;
  const loadSdk = () => {
    loading ??= import('./sdk-objects.ts').then(({ sdkObjects }) => sdkObjects(access));
    return loading;
  };
  return {
    async get(key) {
      const found = await fast?.get(key);
      return found === undefined ? (await loadSdk()).get(key) : found;
    },
    async stream(key) {
      const found = await fast?.stream(key);
      return found === undefined ? (await loadSdk()).stream(key) : found;
    },
    async put(key, body, meta) {
      if (await fast?.put(key, body, meta)) return;
      await (await loadSdk()).put(key, body, meta);
    },
    async putIf(key, body, etag) {
      return (await fast?.putIf(key, body, etag)) ?? (await loadSdk()).putIf(key, body, etag);
    },
    async copy(from, to) {
      if (await fast?.copy(`${access.bucket}/${from}`, to)) return;
      await (await loadSdk()).copy(from, to);
    },
    async remove(keys) {
      for (let i = 0; i < keys.length; i += 1_000) {
        const some = keys.slice(i, i + 1_000);
        if (!(await fast?.remove(some))) await (await loadSdk()).remove(some);
      }
    },
    async list(prefix) {
      return (await fast?.isEmpty(prefix)) ? [] : (await loadSdk()).list(prefix);
    },
  };
}

type AccessVariables = 'BUCKET' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN';

/** The bucket as a build may use it. `endpoint` is AWS_ENDPOINT_URL_S3. */
export const builderAccess = (
  env: Readonly<Pick<FrontendEnv, AccessVariables>>,
  endpoint: string | undefined,
): ObjectsAccess => ({
  bucket: env.BUCKET,
  region: env.AWS_REGION,
  accessKeyId: env.AWS_ACCESS_KEY_ID,
  secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
  sessionToken: env.AWS_SESSION_TOKEN,
  endpoint,
});

export const builderObjects = (...of: Parameters<typeof builderAccess>): Objects => s3Objects(builderAccess(...of));
