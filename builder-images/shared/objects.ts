import type { Readable } from 'node:stream';
import type { FrontendEnv } from '../../contract/builder-env.ts';
import { fastObjects } from './fast-objects.ts';

/** The calls to S3 that publishing needs. "No such object" and "condition not met" are results here, not exceptions. */
export interface Objects {
  /** Null where there is none. */
  get(key: string): Promise<{ body: Buffer; etag: string } | null>;
  /** The body as a stream; null where there is none. */
  stream(key: string): Promise<Readable | null>;
  put(key: string, body: Buffer | FileBody, meta: ObjectMeta): Promise<void>;
  /** Writes where the object is still the one of `etag` (null: there is still none). Null where it is not; else the new ETag. */
  putIf(key: string, body: string, etag: string | null): Promise<string | null>;
  copy(from: string, to: string): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

/** A body that is not held in memory. */
export interface FileBody {
  readonly file: string;
  readonly size: number;
}

export interface ObjectMeta {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly encoding?: 'br' | 'gzip' | undefined;
  /** Hex; S3 refuses a body that does not match. */
  readonly sha256: string;
}

export interface ObjectsAccess {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent for keys that are not temporary. */
  readonly sessionToken: string | undefined;
  /** AWS_ENDPOINT_URL_S3: an endpoint other than AWS's. */
  readonly endpoint?: string | undefined;
  /** The most bytes of an object that `get` reads; for a larger one it throws. @default - any */
  readonly maxBytes?: number;
}

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
