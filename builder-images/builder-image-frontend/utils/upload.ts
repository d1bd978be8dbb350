import { createHash } from 'node:crypto';
import { type Manifest, type PublishedObject, sameObject, VARIANT_SUFFIX } from '../../../contract/manifest.ts';
import { forEachParallel } from '../../../lambdas/shared/async.ts';
import type { Objects } from '../../shared/object-calls.ts';
import { compressVariants } from './compress.ts';
import { cacheControl, contentType, contentTypeUnread } from './content.ts';
import { HashThreads } from './hash-threads.ts';
import { IN_MEMORY, type ReadFile, readOutput } from './read.ts';
import type { OutputFile } from './walk.ts';

/** Requests under way at once: small files are bound by latency, large ones by the line. */
const SMALL_AT_ONCE = 64;
const LARGE_AT_ONCE = 6;

export interface UploadInput {
  readonly objects: Objects;
  /** `s3Keys.deploymentFiles` of this deployment. */
  readonly prefix: string;
  readonly files: readonly OutputFile[];
  /** A build step ran: names may carry content hashes. */
  readonly built: boolean;
  /** Make compressed variants, too. */
  readonly precompress: boolean;
  /** An earlier deployment: an object of it that has not changed is copied by S3 instead of being sent again. */
  readonly base: Manifest | null;
  readonly signal: AbortSignal;
}

export interface Uploaded {
  readonly objects: PublishedObject[];
  readonly sent: number;
}

/** Makes the immutable copy: every file and its variants, either uploaded or copied from an earlier deployment's. */
export async function uploadFiles(input: UploadInput): Promise<Uploaded> {
  const known = new Map(input.base?.objects.map((object) => [object.path, object]));
  const paths = new Set(input.files.map((file) => file.path));
  const published: PublishedObject[] = [];
  let sent = 0;
  const hashing = new HashThreads();

  const placeObject = async (object: Omit<PublishedObject, 'key'>, body: Buffer | { file: string; size: number }) => {
    const key = input.prefix + object.path;
    await input.objects.put(key, body, object);
    sent++;
    published.push({ ...object, key });
  };

  /** False where an earlier deployment's files are gone: they may be removed at any time. */
  const copyObjects = async (earlier: readonly PublishedObject[]): Promise<boolean> => {
    const copied = earlier.map((object) => ({ ...object, key: input.prefix + object.path }));
    try {
      await Promise.all(copied.map(({ key }, i) => input.objects.copy((earlier[i] as PublishedObject).key, key)));
    } catch (error) {
      if (input.signal.aborted) throw error;
      return false;
    }
    published.push(...copied);
    return true;
  };

  const publishFile = async (file: OutputFile) => {
    const read = await readOutput(file, hashing);
    const { path } = file;
    const object = {
      path,
      size: read.size,
      sha256: read.sha256,
      contentType: read.body ? contentType(path, read.body) : contentTypeUnread(path),
      cacheControl: cacheControl(path, input.built),
    };
    const before = known.get(path);
    if (before && before.encoding === undefined && sameObject(before, object)) {
      const kept = input.precompress ? variantsOf(before, known) : [];
      if (await copyObjects([before, ...kept.filter((variant) => !paths.has(variant.path))])) return;
    }
    // Compressing is the thread pool's work: it goes on while the original is sent.
    const [made] = await Promise.all([
      input.precompress ? madeVariants(read, object.contentType) : [],
      placeObject(object, read.body ?? { file: file.source, size: read.size }),
    ]);
    // The build's own file of a variant's name goes first.
    const wanted = made.filter(({ encoding }) => !paths.has(path + VARIANT_SUFFIX[encoding]));
    await Promise.all(
      wanted.map(({ encoding, body }) => {
        const sha256 = createHash('sha256').update(body).digest('hex');
        const variant = { path: path + VARIANT_SUFFIX[encoding], size: body.length, sha256, encoding, of: read.sha256 };
        return placeObject({ ...object, ...variant }, body);
      }),
    );
  };

  const small = input.files.filter((file) => file.size <= IN_MEMORY);
  const large = input.files.filter((file) => file.size > IN_MEMORY);
  await Promise.all([
    forEachParallel(large, LARGE_AT_ONCE, publishFile, input.signal),
    forEachParallel(small, SMALL_AT_ONCE, publishFile, input.signal),
  ]).finally(() => hashing.close());
  return { objects: published.sort((a, b) => (a.path < b.path ? -1 : 1)), sent };
}

const madeVariants = (read: ReadFile, type: string) => (read.body ? compressVariants(read.body, type) : []);

const variantsOf = (object: PublishedObject, known: ReadonlyMap<string, PublishedObject>) =>
  Object.values(VARIANT_SUFFIX)
    .map((suffix) => known.get(object.path + suffix))
    .filter((variant) => variant?.encoding !== undefined && variant.of === object.sha256)
    .map((variant) => variant!);
