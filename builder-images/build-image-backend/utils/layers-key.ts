import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Hex SHA-256 of what a template's layers are made of, up to the installation: `texts`, and these files and folders of the
 * context. Equal keys promise little (the base image may have moved); Kaniko has keys of its own, and decides.
 */
export async function layersKey(texts: readonly string[], context: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(texts));
  for (const path of paths) await addFile(hash, context, path);
  return hash.digest('hex');
}

async function addFile(hash: Hash, root: string, path: string): Promise<void> {
  const file = join(root, path);
  const info = await lstat(file);
  if (info.isDirectory()) {
    for (const name of (await readdir(file)).sort()) await addFile(hash, root, join(path, name));
    return;
  }
  if (info.isSymbolicLink()) {
    const target = await readlink(file);
    hash.update(JSON.stringify([path, 'link', target.length])).update(target);
    return;
  }
  hash.update(JSON.stringify([path, info.mode & 0o100 ? 'program' : 'file', info.size]));
  // Piece by piece: a commit may hold a file that is larger than our memory.
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
}
