import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheUse } from '../../../contract/lanes.ts';
import { changeIndex, type Entry, type Index } from '../../shared/cache/entries.ts';
import { listTree } from '../../shared/cache/listing.ts';
import {
  type CachePlace,
  cachePrefix,
  droppedLine,
  fetchArchive,
  openIndex,
  originOf,
  storeArchive,
} from '../../shared/cache/store.ts';

export interface LayerCacheOptions extends CachePlace {
  readonly use: CacheUse;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface OpenCache {
  /** For `--cache-repo`. */
  readonly repository: string;
  /** There is something in it. */
  readonly restored: boolean;
}

const ROOT = 'layers';
const STAGING = join(ROOT, 'staging');
/** Kaniko's: a folder for each layer, `<NAME>:<key of the layer>`. Source: Kaniko, pkg/cache, `Destination`. */
const LAYERS = join(ROOT, 'kept');
const NAME = 'layer';

/**
 * The layers of a project, from one task to the next by S3: an archive of Kaniko's cache folder, under the key of what its
 * installation is made of. Kaniko has no credentials and sees a folder. Nothing here ever fails a build. The archive begins
 * to be fetched at once, beside git, whatever the commit turns out to need.
 *
 * What a step of the user's can put into it is its own layer, which is finished before the next step runs: the folder is
 * root's until the result has been told, and everything of the user's is dead by then.
 */
export class LayerCache {
  readonly #o: LayerCacheOptions;
  readonly #prefetched: Promise<Entry | null>;
  #index: Index | null = null;
  #restored = false;
  #broken = false;

  constructor(options: LayerCacheOptions) {
    this.#o = options;
    this.#prefetched = this.#prefetch().catch((error: unknown) => this.#drop(error));
  }

  /** Resolves when nothing is being unpacked any more. */
  async settled(): Promise<void> {
    await this.#prefetched;
  }

  /** Kaniko's cache, with the layers of `key` in it where there are any that are whole. */
  async open(key: string): Promise<OpenCache> {
    const { work } = this.#o;
    const [staging, layers] = [join(work, STAGING), join(work, LAYERS)];
    const entry = await this.#prefetched;
    if (entry?.key === key)
      try {
        await rename(join(staging, LAYERS), layers);
        this.#restored = true;
        this.#o.say(`Layers of ${originOf(entry)} are at hand.`);
      } catch (error) {
        this.#drop(error);
      }
    await rm(staging, { recursive: true, force: true });
    await mkdir(layers, { recursive: true });
    return { repository: `oci:${join(layers, NAME)}`, restored: this.#restored };
  }

  /**
   * Keeps the layers that this build has made, or drops those that it had no use for: the base image has moved, or they are
   * too old for Kaniko. Then the next build makes them. Call it when the result has been told and nothing of the user's is alive.
   */
  async save(key: string, installRan: boolean, signal: AbortSignal): Promise<void> {
    const entry = this.#restored ? null : await this.#archive(key, signal);
    const useless = this.#broken || (this.#restored && installRan);
    if (entry ?? useless) await changeIndex(this.#o.objects, cachePrefix(this.#o), this.#index, { layers: entry });
  }

  async #archive(key: string, signal: AbortSignal): Promise<Entry | null> {
    const { work } = this.#o;
    const { paths } = await listTree(work, [LAYERS]);
    if (paths.length < 2) return null;
    // Kaniko lets nobody but root read a blob, and whoever packs them is not root.
    for (const path of paths) await chmod(join(work, path), 0o755);
    return storeArchive(this.#o, 'layers', key, await listTree(work, [LAYERS]), signal);
  }

  async #prefetch(): Promise<Entry | null> {
    const { work, sandbox, signal } = this.#o;
    await mkdir(join(work, ROOT), { recursive: true });
    if (sandbox.uid !== undefined) await chown(join(work, ROOT), sandbox.uid, sandbox.uid);
    this.#index = await openIndex(this.#o);
    const entry = this.#index?.entries.layers;
    if (entry) await fetchArchive(this.#o, entry, join(work, STAGING), signal);
    return entry ?? null;
  }

  #drop(error: unknown): null {
    if (this.#o.signal.aborted) return null;
    this.#broken = true;
    this.#o.say(droppedLine('layers', error));
    return null;
  }
}
