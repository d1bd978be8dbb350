import type { Readable } from 'node:stream';

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
