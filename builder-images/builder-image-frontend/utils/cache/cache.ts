import { join } from 'node:path';
import { allPaths, moveInto } from '../../../shared/cache/archive.ts';
import { changeIndex, type Entry, type Index, KINDS, type Kind, readIndex } from '../../../shared/cache/entries.ts';
import { type CachePlace, droppedLine, fetchArchive, storeArchive } from '../../../shared/cache/store.ts';
import type { Inputs } from './inputs.ts';
import { type Installed, snapshotPaths } from './snapshot.ts';

/** Folders that build tools keep between their runs, relative to the folder that is built. */
const FRAMEWORK_FOLDERS = [
  '.next/cache',
  '.angular/cache',
  '.parcel-cache',
  '.turbo',
  'node_modules/.cache',
  'node_modules/.vite',
  'node_modules/.astro',
];
/** Folders of the package managers' downloads (see `storeFolders`). */
const STORE_FOLDERS = ['cache/npm/_cacache', 'cache/pnpm', 'cache/yarn', 'cache/yarn-berry', 'cache/bun'];

export interface CacheOptions extends CachePlace {
  /** `FRONTENDPATH`. */
  readonly path: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What `save` has to know of the install phase. */
export interface Installation {
  readonly inputs: Inputs;
  /** The state that an install of this build left, where it may stand in for the next one. */
  readonly installed: Installed | null;
  readonly installRan: boolean;
}

/**
 * The caches of one build. Nothing here ever fails it: what cannot be read is dropped, what cannot be written is left.
 * `prefetch` runs beside the fetch, `save` after the result has been told.
 */
export class BuildCache {
  readonly #o: CacheOptions;
  #index: Index = { v: 1, entries: {} };
  readonly #unpacked: Partial<Record<Kind, Promise<boolean>>> = {};
  readonly #broken = new Set<Kind>();
  readonly #prefetched: Promise<void>;

  /** Begins to fetch what is most likely right: the newest state, whatever the commit turns out to need. */
  constructor(options: CacheOptions) {
    this.#o = options;
    this.#prefetched = readIndex(options.objects, options.projectId).then(
      ({ index }) => {
        this.#index = index;
        for (const kind of ['install', 'frameworks'] as const) void this.#unpack(kind);
      },
      () => undefined,
    );
  }

  /** Puts the installed state in place. False where there is none for these inputs: then the install has to run. */
  async restoreInstall(inputs: Inputs): Promise<boolean> {
    await this.#prefetched;
    const restored = inputs.install !== null && (await this.#restore('install', inputs.install));
    // The install will run: what it downloads may be there, from this lockfile or the one before.
    if (!restored) await this.#restore('store', this.#index.entries.store?.key ?? '');
    // Nothing of ours may be at work when the user's commands begin: what they leave behind is ended by its user.
    await Promise.all(Object.values(this.#unpacked));
    return restored;
  }

  /** Puts the build tools' folders in place, after the install, which may have made node_modules anew. */
  async restoreFrameworks(inputs: Inputs): Promise<void> {
    await this.#prefetched;
    if (inputs.lockfiles !== null) await this.#restore('frameworks', inputs.lockfiles);
  }

  /** Keeps what has changed. Call it when nothing of the build is alive any more. */
  async save({ inputs, installed, installRan }: Installation, signal: AbortSignal): Promise<void> {
    const { objects, projectId, work, path } = this.#o;
    const change: Partial<Record<Kind, Entry | null>> = {};
    for (const kind of this.#broken) change[kind] = null;
    const keep = async (kind: Kind, key: string, roots: readonly string[], listed?: readonly string[] | null) => {
      const paths =
        listed === undefined ? (await Promise.all(roots.map((root) => allPaths(work, root)))).flat() : listed;
      if (paths === null || paths.length === 0) return;
      const there = new Set(paths);
      const entry = { key, roots: roots.filter((root) => there.has(root)) };
      const stored = await storeArchive(this.#o, kind, paths, signal).catch(() => null);
      if (stored) change[kind] = { ...entry, ...stored };
    };
    const folders = FRAMEWORK_FOLDERS.map((folder) => join('source', path, folder));
    if (inputs.install !== null && installed !== null)
      await keep('install', inputs.install, installed.roots, await snapshotPaths(work, installed, folders));
    if (inputs.lockfiles !== null) {
      await keep('frameworks', inputs.lockfiles, folders);
      const known = !this.#broken.has('store') && this.#index.entries.store?.key === inputs.lockfiles;
      if (installRan && !known) await keep('store', inputs.lockfiles, STORE_FOLDERS);
    }
    if (Object.keys(change).length > 0) await changeIndex(objects, projectId, change);
  }

  async #restore(kind: Kind, key: string): Promise<boolean> {
    const { sandbox, work, signal } = this.#o;
    const entry = this.#index.entries[kind];
    try {
      if (entry?.key !== key || !(await this.#unpack(kind))) return false;
      await moveInto(sandbox, this.#staging(kind), work, entry.roots, signal);
      return true;
    } catch (error) {
      this.#drop(kind, error);
      return false;
    }
  }

  /** Unpacks an archive beside the build. False where there is none, or none that is whole. */
  #unpack(kind: Kind): Promise<boolean> {
    const entry = this.#index.entries[kind];
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
