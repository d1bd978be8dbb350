import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { MAX_UPLOAD_BYTES, MAX_UPLOAD_FILE_BYTES, MAX_UPLOAD_FILES, type UploadFile } from '../../contract/uploads.ts';
import type { IgnoreRules } from './ignoreRules.ts';

/** A file of the folder before its content was read. */
export interface ListedFile extends Pick<UploadFile, 'path' | 'mode' | 'size'> {
  /** Where a link points; absent for a file. */
  readonly target?: string;
}

export interface FolderListing {
  readonly files: readonly ListedFile[];
  /** Paths of what cannot be uploaded: links that leave the folder, sockets, devices. */
  readonly leftOut: readonly string[];
  /** Paths that are here by `.verenignore` alone, folders with a slash at the end; without `bringsIn` not among `files`. */
  readonly broughtIn: readonly string[];
}

const PROGRAM_BITS = 0o111;

/** What is to be uploaded of a folder. Links are not followed. Throws UPLOAD_TOO_LARGE as soon as it is. */
export async function listFolder(
  folder: string,
  rules: IgnoreRules,
  { windows, bringsIn }: { readonly windows: boolean; readonly bringsIn: boolean },
): Promise<FolderListing> {
  const files: ListedFile[] = [];
  const leftOut: string[] = [];
  const broughtIn: string[] = [];
  let bytes = 0;
  const add = (file: ListedFile) => {
    files.push(file);
    bytes += file.size;
    const fault =
      files.length > MAX_UPLOAD_FILES
        ? `it has more than ${MAX_UPLOAD_FILES} files.`
        : file.size > MAX_UPLOAD_FILE_BYTES
          ? `${file.path} has more than ${MAX_UPLOAD_FILE_BYTES / 1024 / 1024} MiB.`
          : bytes > MAX_UPLOAD_BYTES
            ? `its files have more than ${MAX_UPLOAD_BYTES / 1024 / 1024} MiB.`
            : null;
    if (fault !== null) throw new VerenError('UPLOAD_TOO_LARGE', { reason: fault });
  };
  const waiting = [{ path: '', rules }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { path: within } = at;
    for (const entry of (await look(within, () => readdir(join(folder, within), { withFileTypes: true }))) ?? []) {
      const path = at.path === '' ? entry.name : `${at.path}/${entry.name}`;
      const absolute = join(folder, path);
      const verdict = at.rules.judge(path, entry.isDirectory());
      if (verdict === 'left-out') continue;
      if (verdict === 'brought-in') {
        broughtIn.push(entry.isDirectory() ? `${path}/` : path);
        if (!bringsIn) continue;
      }
      if (entry.isDirectory()) waiting.push({ path, rules: await at.rules.within(absolute, path) });
      else if (entry.isFile()) {
        const found = await look(path, () => lstat(absolute));
        if (!found?.isFile()) continue;
        const { size, mode } = found;
        add({ path, size, mode: !windows && (mode & PROGRAM_BITS) !== 0 ? '100755' : '100644' });
      } else if (entry.isSymbolicLink()) {
        const text = await look(path, () => readlink(absolute));
        if (text === undefined) continue;
        const target = text.replaceAll('\\', windows ? '/' : '\\');
        if (staysInside(path, target)) add({ path, mode: '120000', size: Buffer.byteLength(target), target });
        else leftOut.push(path);
      } else leftOut.push(path);
    }
  }
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), leftOut, broughtIn };
}

/** Undefined for what has vanished since its folder was read, as editors' temporary files do. */
async function look<T>(path: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(code)) return undefined;
    throw new VerenError('CLI_FILE_INVALID', { file: path || '.', reason: code }, { cause });
  }
}

/** Read as text, as the platform does: what is at a link's end may be another link, which is looked at itself. */
function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\\') || /^[A-Za-z]:/.test(target)) return false;
  let depth = path.split('/').length - 1;
  return target.split('/').every((name) => {
    if (name === '..') depth -= 1;
    else if (name !== '.' && name !== '') depth += 1;
    return depth >= 0;
  });
}
