import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { s3Keys } from '../../../contract/names.ts';
import type { Objects } from '../objects.ts';
import type { Sandbox } from '../sandbox.ts';
import { pack, unpack } from './archive.ts';
import type { Entry, Kind } from './entries.ts';

/** One archive; a larger one costs more to move than it saves. */
const MAX_BYTES = 1_536 * 1_024 * 1_024;

export interface CachePlace {
  readonly objects: Objects;
  readonly projectId: string;
  /** Work folder of the build: paths in archives are relative to it. */
  readonly work: string;
  /** Who packs and unpacks. */
  readonly sandbox: Sandbox;
}

/** False where a user does not trust what is cached. */
export const wantsCache = ({ DISABLE_BUILD_CACHE }: Readonly<Record<string, string>>) =>
  DISABLE_BUILD_CACHE === undefined || /^(?:0|false|)$/i.test(DISABLE_BUILD_CACHE);

/** Keeps these paths, folders without their content. Nothing names the archive until `changeIndex` does. */
export async function storeArchive(
  { objects, projectId, work, sandbox }: CachePlace,
  kind: Kind,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Pick<Entry, 'object' | 'sha256' | 'size'>> {
  const file = join(work, 'control', `${kind}.tar`);
  try {
    const { size, sha256 } = await pack(sandbox, work, paths, file, MAX_BYTES, signal);
    const object = `${s3Keys.cache(projectId)}${kind}-${randomUUID()}.tar`;
    await objects.put(object, { file, size }, { contentType: 'application/x-tar', sha256 });
    return { object, sha256, size };
  } finally {
    await rm(file, { force: true });
  }
}

/** Unpacks what an entry names into a folder. Throws where it is gone or not whole: then what is there must be dropped. */
export async function fetchArchive(
  { objects, sandbox }: CachePlace,
  entry: Entry,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const archive = await objects.stream(entry.object);
  if (!archive) throw new Error('the archive is gone');
  await unpack(sandbox, archive, folder, entry, signal);
}

/** The line of the log that tells of a cache that could not be used. */
export const droppedLine = (kind: Kind, error: unknown) =>
  `A cache of this project (${kind}) could not be used and is dropped: ${(error as Error).message}`;
