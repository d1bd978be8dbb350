import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { contentType } from '../../builder-images/builder-image-frontend/utils/content.ts';
import { MAX_RULE_FILE_BYTES } from '../../contract/site-rules/ruleFile.ts';

export interface SiteFile {
  readonly key: string;
  readonly size: number;
  /** As in the header, with quotes. */
  readonly etag: string;
  readonly modified: Date;
  readonly type: string;
  readonly cacheControl: string;
  /** Content-Encoding of what is stored. */
  readonly encoding?: string;
}

const REVALIDATE = 'public, max-age=0, must-revalidate';
const UNKNOWN_TYPES = new Set(['binary/octet-stream', 'application/octet-stream']);

/** Published files below a prefix of the bucket, which is empty or ends with `/`. A path is decoded and begins with `/`. */
export class SiteFiles {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(s3: S3Client, bucket: string, prefix: string) {
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async find(path: string): Promise<SiteFile | undefined> {
    const key = this.#prefix + path.slice(1);
    if (key.endsWith('/') || Buffer.byteLength(key) > 1_024) return undefined; // what no object can be
    try {
      const head = await this.#s3.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
      const stored = head.ContentType;
      return {
        key,
        size: head.ContentLength ?? 0,
        etag: head.ETag ?? '',
        modified: head.LastModified ?? new Date(0),
        type: stored && !UNKNOWN_TYPES.has(stored) ? stored : contentType(path),
        cacheControl: head.CacheControl ?? REVALIDATE,
        ...(head.ContentEncoding && { encoding: head.ContentEncoding }),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /**
   * The bytes of exactly the file that was found; undefined where it was replaced in the meantime.
   * @param range As in the header.
   */
  async open(file: SiteFile, range?: string): Promise<Readable | undefined> {
    try {
      const got = await this.#s3.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: file.key,
          IfMatch: file.etag,
          ...(range && { Range: range }),
        }),
      );
      return got.Body as Readable;
    } catch (error) {
      if (isAbsent(error) || statusOf(error) === 412) return undefined;
      throw error;
    }
  }

  /** A small text file; empty where there is none, or where it is larger than any real one. */
  async text(path: string, limit = MAX_RULE_FILE_BYTES): Promise<string> {
    const file = await this.find(path);
    if (!file || file.size > limit) return '';
    const body = await this.open(file);
    if (!body) return '';
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }
}

const statusOf = (error: unknown) => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
/** Without a bucket there are no sites either. */
export const isAbsent = (error: unknown) => statusOf(error) === 404;
