import { createHash, type Hash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Hex SHA-256 of what a template's layers are made of, up to the installation: `texts`, and these files and folders of the
 * context. Equal keys promise little (the base image may have moved); Kaniko has keys of its own, and decides.
 */
export async function layersKey(texts: readonly string[], context: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(texts));
  for (const path of paths) await add(hash, context, path);
  return hash.digest('hex');
}

async function add(hash: Hash, root: string, path: string): Promise<void> {
  const file = join(root, path);
  const info = await lstat(file);
  if (info.isDirectory()) {
    for (const name of (await readdir(file)).sort()) await add(hash, root, join(path, name));
    return;
  }
  const content = info.isSymbolicLink() ? await readlink(file) : await readFile(file);
  const kind = info.isSymbolicLink() ? 'link' : info.mode & 0o100 ? 'program' : 'file';
  hash.update(JSON.stringify([path, kind, content.length])).update(content);
}
