import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ManifestSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import { type HeaderRule, parseHeaders } from '../../contract/site-rules/headerRules.ts';
import { parseRedirects, type RedirectRule } from '../../contract/site-rules/redirectRules.ts';
import { RULE_FILES } from '../../contract/site-rules/ruleFile.ts';
import { isAbsent, type SiteFile, SiteFiles } from './siteFiles.ts';

export interface Rules {
  readonly redirects: RedirectRule[];
  readonly headers: HeaderRule[];
}

/** One version of a site: its files by the manifest, which never changes, so that an answer never mixes two versions. */
export class ManifestFiles extends SiteFiles {
  readonly #files: ReadonlyMap<string, SiteFile>;
  readonly #s3: S3Client;
  readonly #bucket: string;
  #rules: Promise<Rules> | undefined;

  private constructor(s3: S3Client, bucket: string, files: ReadonlyMap<string, SiteFile>) {
    super(s3, bucket, '');
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#files = files;
  }

  /** Null where there is no such deployment, or its files are not kept any more. */
  static async read(s3: S3Client, bucket: string, projectId: string, id: string): Promise<ManifestFiles | null> {
    const Key = s3Keys.deploymentManifest(projectId, id);
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const { objects, createdAt } = ManifestSchema.parse(JSON.parse(await Body!.transformToString()));
      const modified = new Date(createdAt);
      // A build has written it: it names files of its own project's deployments, or nothing is served.
      const own = s3Keys.deploymentFiles(projectId, '\0').split('\0')[0] as string;
      const files = objects
        .filter(({ key }) => key.startsWith(own))
        .map(
          ({ path, key, size, sha256, contentType, cacheControl, encoding }) =>
            [
              `/${path}`,
              {
                key,
                size,
                modified,
                cacheControl,
                ...(encoding && { encoding }),
                type: contentType,
                etag: `"${sha256.slice(0, 32)}"`,
              },
            ] as const,
        );
      return new ManifestFiles(s3, bucket, new Map(files));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  override async find(path: string): Promise<SiteFile | undefined> {
    return this.#files.get(path);
  }

  /** A file whose name changes with its content: pages of another version may ask for it. */
  findImmutable(path: string): SiteFile | undefined {
    const file = this.#files.get(path);
    return file?.cacheControl.includes('immutable') ? file : undefined;
  }

  override async open(file: SiteFile, range?: string): Promise<Readable | undefined> {
    try {
      const wanted = { Bucket: this.#bucket, Key: file.key, ...(range && { Range: range }) };
      return (await this.#s3.send(new GetObjectCommand(wanted))).Body as Readable;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** `_redirects` and `_headers` of this version, read once. */
  rules(): Promise<Rules> {
    this.#rules ??= this.#readRules();
    this.#rules.catch(() => {
      this.#rules = undefined;
    });
    return this.#rules;
  }

  async #readRules(): Promise<Rules> {
    return {
      redirects: parseRedirects(await this.text(`/${RULE_FILES.redirects}`)).rules,
      headers: parseHeaders(await this.text(`/${RULE_FILES.headers}`)).rules,
    };
  }
}

/** Manifests that are remembered; a large one takes some megabytes. */
const MAX_REMEMBERED = 64;

/** The versions that are asked for most. */
export class ManifestCache {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #known = new Map<string, Promise<ManifestFiles | null>>();

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3;
    this.#bucket = bucket;
  }

  get(projectId: string, deploymentId: string): Promise<ManifestFiles | null> {
    const key = `${projectId}/${deploymentId}`;
    const known = this.#known.get(key) ?? ManifestFiles.read(this.#s3, this.#bucket, projectId, deploymentId);
    // The one that was asked for last is the last to go.
    this.#known.delete(key);
    this.#known.set(key, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) break;
      this.#known.delete(oldest);
    }
    known.then(
      (files) => files === null && this.#known.delete(key),
      () => this.#known.delete(key),
    );
    return known;
  }

  /** Its files were not there: perhaps it is not kept any more. */
  forget(projectId: string, deploymentId: string): void {
    this.#known.delete(`${projectId}/${deploymentId}`);
  }
}
