import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheUse, Lane } from '../../../contract/lanes.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { Objects } from '../object-calls.ts';
import type { Sandbox } from '../sandbox.ts';
import { packFolder, unpackArchive } from './archive.ts';
import { dropIndex, type Entry, type Index, type Kind, readIndex } from './entries.ts';
import type { FileListing } from './listing.ts';

/** The most bytes of an archive; a larger one takes more time to transfer than it saves. */
const MAX_BYTES = 1_536 * 1_024 * 1_024;

export interface CachePlace {
  readonly objects: Objects;
  readonly projectId: string;
  readonly lane: Lane;
  /** The deployment that is built, noted in the caches that it saves. */
  readonly deploymentId: string;
  /** Work folder of the build: paths in archives are relative to it. */
  readonly work: string;
  /** Runs the programs that pack and unpack. */
  readonly sandbox: Sandbox;
}

/** False where the user has turned the cache off. */
export const wantsCache = ({ DISABLE_BUILD_CACHE }: Readonly<Record<string, string>>) =>
  DISABLE_BUILD_CACHE === undefined || /^(?:0|false|)$/i.test(DISABLE_BUILD_CACHE);

export const cachePrefix = ({ projectId, lane }: Pick<CachePlace, 'projectId' | 'lane'>) =>
  s3Keys.cache(projectId, lane);

/**
 * The index that the build begins with; null where there is none. With `drop` all caches are removed first, and the log
 * says so.
 */
export async function openIndex(
  place: CachePlace & { readonly use: CacheUse; readonly say: (text: string) => void },
): Promise<Index | null> {
  if (place.use === 'use') return (await readIndex(place.objects, cachePrefix(place))).index;
  const index = await dropIndex(place.objects, cachePrefix(place), place.deploymentId);
  place.say(`The caches of this project (${place.lane}) are dropped, as the deployment asks for.`);
  return index;
}

/** Saves what was listed, if it has not changed. The archive is not used until `changeIndex` names it. */
export async function storeArchive(
  place: CachePlace,
  kind: Kind,
  key: string,
  listing: FileListing,
  signal: AbortSignal,
): Promise<Entry> {
  const { objects, work, sandbox, deploymentId, lane } = place;
  const file = join(work, 'control', `${kind}.tar`);
  try {
    const { size, sha256 } = await packFolder(sandbox, work, listing, file, MAX_BYTES, signal);
    const object = `${cachePrefix(place)}${kind}-${randomUUID()}.tar`;
    await objects.put(object, { file, size }, { contentType: 'application/x-tar', sha256 });
    return { key, object, sha256, size, roots: [...listing.roots], from: { deploymentId, lane } };
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Unpacks an entry into a folder. Throws where the archive is missing or damaged; the caller must then drop the folder.
 */
export async function fetchArchive(
  { objects, sandbox }: CachePlace,
  entry: Entry,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const archive = await objects.stream(entry.object);
  if (!archive) throw new Error('the archive is gone');
  await unpackArchive(sandbox, archive, folder, entry, signal);
}

/** Where a cache comes from, for the log. */
export const originOf = ({ from }: Entry) => `deployment ${from.deploymentId} (${from.lane})`;

/** The log line about a cache that could not be used. */
export const droppedLine = (kind: Kind, error: unknown) =>
  `A cache of this project (${kind}) could not be used and is dropped: ${(error as Error).message}`;
