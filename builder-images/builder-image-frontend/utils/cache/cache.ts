import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheUse } from '../../../../contract/lanes.ts';
import { moveInto } from '../../../shared/cache/archive.ts';
import { changeIndex, type Entry, type Index, KINDS, type Kind } from '../../../shared/cache/entries.ts';
import { type FileListing, listTree } from '../../../shared/cache/listing.ts';
import {
  type CachePlace,
  cachePrefix,
  droppedLine,
  fetchArchive,
  openIndex,
  originOf,
  storeArchive,
} from '../../../shared/cache/store.ts';
import { logOwn } from '../../../shared/own-log.ts';
import { isFetched } from './folders.ts';
import { type Inputs, isStoreOf } from './inputs.ts';
import type { Installed } from './installed.ts';

export interface CacheOptions extends CachePlace {
  /** `FRONTENDPATH`. */
  readonly path: string;
  /** Folders of compiled code, relative to `work`. */
  readonly kept: readonly string[];
  readonly use: CacheUse;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What `save` has to know of the install phase. */
export interface CachedInstallation {
  readonly inputs: Inputs;
  /** What an install of this build left; null where none was run. */
  readonly installed: Installed | null;
}

/**
 * The caches of one build. Nothing here ever fails it: what cannot be read is dropped, what cannot be written is left.
 * `prefetch` runs beside the fetch, `save` after the result has been told.
 */
export class BuildCache {
  readonly #o: CacheOptions;
  #index: Index | null = null;
  readonly #unpacked: Partial<Record<Kind, Promise<boolean>>> = {};
  readonly #broken = new Set<Kind>();
  readonly #prefetched: Promise<void>;

  /** Begins to fetch what is most likely right: the newest state, whatever the commit turns out to need. */
  constructor(options: CacheOptions) {
    this.#o = options;
    this.#prefetched = openIndex(options).then(
      (index) => {
        this.#index = index;
        for (const kind of ['install', 'frameworks'] as const) void this.#unpack(kind);
      },
      (error: Error) => {
        if (options.use === 'drop') options.say(`The caches could not be dropped (${error.message}); none is used.`);
      },
    );
  }

  /** Resolves when nothing that was fetched beforehand is being unpacked any more. */
  async settled(): Promise<void> {
    await this.#prefetched;
    await Promise.all(Object.values(this.#unpacked));
  }

  /** Puts the installed state in place and gives the deployment that made it. Null: the install has to run. */
  async restoreInstall(inputs: Inputs): Promise<string | null> {
    await this.#prefetched;
    const restored = await this.#restore('install', (key) => key === inputs.install);
    // The install will run: what it downloads may be there.
    const store = restored ? null : await this.#restore('store', (key) => isStoreOf(key, inputs));
    if (store) this.#o.say(`Downloads of ${originOf(store)} are at hand for the installation.`);
    // Nothing of ours may be at work when the user's commands begin: what they leave behind is ended by its user.
    await Promise.all(Object.values(this.#unpacked));
    return restored && originOf(restored);
  }

  /** Puts the build tools' folders in place, after the install, which may have made node_modules anew. */
  async restoreFrameworks(inputs: Inputs): Promise<void> {
    await this.#prefetched;
    const restored = await this.#restore('frameworks', (key) => key === inputs.lockfiles);
    if (!restored) return;
    const folders = restored.roots.map((root) => root.replace(/^source\//, ''));
    this.#o.say(`Compiled code of ${originOf(restored)} is at hand: ${folders.join(', ')}`);
  }

  /** Keeps what has changed. Call it when nothing of the build is alive any more. */
  async save({ inputs, installed }: CachedInstallation, signal: AbortSignal): Promise<void> {
    const { objects, work, kept } = this.#o;
    const change: Partial<Record<Kind, Entry | null>> = {};
    for (const kind of this.#broken) change[kind] = null;
    const keepArchive = async (kind: Kind, key: string | null, listing: FileListing | null) => {
      if (key === null || listing === null || listing.paths.length === 0) return;
      try {
        change[kind] = await storeArchive(this.#o, kind, key, listing, signal);
      } catch (error) {
        logOwn('WARN', 'A cache could not be kept', { cache: kind, reason: (error as Error).message });
      }
    };
    await keepArchive('install', inputs.install, installed?.state ?? null);
    if (inputs.lockfiles !== null)
      await keepArchive('frameworks', inputs.lockfiles, await compiled(work, kept).catch(() => null));
    const known = !this.#broken.has('store') && this.#index?.entries.store?.key === inputs.store;
    if (!known) await keepArchive('store', inputs.store, installed?.store ?? null);
    if (Object.keys(change).length > 0) await changeIndex(objects, cachePrefix(this.#o), this.#index, change);
  }

  /** Puts a cache in place whose key is the right one. Null where there is none. */
  async #restore(kind: Kind, isRight: (key: string) => boolean): Promise<Entry | null> {
    const { sandbox, work, signal } = this.#o;
    const entry = this.#index?.entries[kind];
    try {
      if (!entry || !isRight(entry.key) || !(await this.#unpack(kind))) return null;
      await moveInto(sandbox, this.#staging(kind), work, entry.roots, signal);
      return entry;
    } catch (error) {
      this.#drop(kind, error);
      return null;
    }
  }

  /** Unpacks an archive beside the build. False where there is none, or none that is whole. */
  #unpack(kind: Kind): Promise<boolean> {
    const entry = this.#index?.entries[kind];
    if (!entry) return Promise.resolve(false);
    this.#unpacked[kind] ??= (async () => {
      try {
        await fetchArchive(this.#o, entry, this.#staging(kind), this.#o.signal);
        return true;
      } catch (error) {
        this.#drop(kind, error);
        return false;
      }
    })();
    return this.#unpacked[kind];
  }

  #drop(kind: Kind, error: unknown): void {
    if (this.#o.signal.aborted) return;
    this.#broken.add(kind);
    this.#o.say(droppedLine(kind, error));
  }

  #staging(kind: Kind): string {
    return join(this.#o.work, 'tmp', `.cache-${KINDS.indexOf(kind)}`);
  }
}

/** What the build tools have compiled. */
async function compiled(work: string, folders: readonly string[]): Promise<FileListing> {
  const isLink = (folder: string) =>
    lstatSync(join(work, folder), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const all = await listTree(
    work,
    folders.filter((folder) => !isLink(folder)),
  );
  const kept = all.paths.map((listed) => !isFetched(listed));
  return {
    ...all,
    paths: all.paths.filter((_, i) => kept[i]),
    identities: all.identities.filter((_, i) => kept[i]),
  };
}
