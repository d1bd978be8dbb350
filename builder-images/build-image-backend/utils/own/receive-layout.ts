import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkConfig, checkManifest, type ReceivedManifest, refusedImage } from './manifest.ts';

interface OpenBlob {
  readonly file: FileHandle;
  readonly hash: Hash;
  readonly digest: string;
  left: number;
}

/**
 * Writes an image that comes in pieces from a hostile place to a folder of our own. Every blob that the manifest names has to
 * come, with the bytes that its digest stands for: a layer that is named and not sent could be another project's, since all
 * share one repository. The names of the files are the digests, never anything that was sent.
 */
export class ReceivedLayout {
  readonly #folder: string;
  readonly #received: ReceivedManifest;
  #next = 0;
  #blob: OpenBlob | null = null;

  private constructor(folder: string, received: ReceivedManifest) {
    this.#folder = folder;
    this.#received = received;
  }

  /** @param folder which does not exist yet, in a place that nobody else can reach */
  static async open(folder: string, manifest: Uint8Array, maxBytes?: number): Promise<ReceivedLayout> {
    const received = checkManifest(manifest, maxBytes);
    await mkdir(join(folder, 'blobs/sha256'), { recursive: true, mode: 0o700 });
    return new ReceivedLayout(folder, received);
  }

  get isComplete(): boolean {
    return this.#blob === null && this.#next === this.#received.blobs.length;
  }

  /** The next bytes of the blob that it is at. Throws `VerenError('IMAGE_REFUSED')`. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#blob ??= await this.#openNext();
    const blob = this.#blob;
    if (bytes.length > blob.left) throw refusedImage(`${blob.digest} has more bytes than its manifest says`);
    await blob.file.writeFile(bytes);
    blob.hash.update(bytes);
    blob.left -= bytes.length;
    if (blob.left === 0) await this.#finish(blob);
  }

  /** Makes it an image layout that can be pushed. Throws `VerenError('IMAGE_REFUSED')` where something is missing. */
  async complete(): Promise<void> {
    if (!this.isComplete) throw refusedImage('parts of it are missing');
    const { manifest } = this.#received;
    checkConfig(await readFile(this.#pathOf(manifest.config.digest)), manifest);
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await writeFile(this.#pathOf(digest), bytes);
    const descriptor = { mediaType: manifest.mediaType, digest, size: bytes.length };
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
    await writeFile(join(this.#folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }

  /** Closes what is open, where the image does not come to its end. */
  async close(): Promise<void> {
    await this.#blob?.file.close();
    this.#blob = null;
  }

  async #openNext(): Promise<OpenBlob> {
    const next = this.#received.blobs[this.#next];
    if (next === undefined) throw refusedImage('more was sent than its manifest names');
    const file = await open(this.#pathOf(next.digest), 'wx', 0o600);
    return { file, hash: createHash('sha256'), digest: next.digest, left: next.size };
  }

  async #finish({ file, hash, digest }: OpenBlob): Promise<void> {
    await file.close();
    this.#blob = null;
    this.#next += 1;
    if (`sha256:${hash.digest('hex')}` !== digest) throw refusedImage(`the bytes of ${digest} are other ones`);
  }

  #pathOf(digest: string): string {
    return join(this.#folder, 'blobs/sha256', digest.slice('sha256:'.length));
  }
}
