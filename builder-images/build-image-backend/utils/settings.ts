import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join, normalize } from 'node:path';

/** The paths that a text of settings may name: everything between quotes, spaces and separators. */
const TOKEN = /[^\s"'`=,;:#&|()[\]{}<>!]+/g;
const MAX_TOKENS = 20_000;
/** Of every text that a package manager reads as YAML, INI, TOML or JSON: no program. */
const LOOKS_LIKE_PATH = /[/.]/;

/** A whole value first, since a path may hold a space. */
function* candidates(text: string): Generator<string> {
  for (const line of text.split('\n')) {
    // Neither pattern nor path is longer: a hostile line must not cost more than its length.
    const value = line.length > 1_000 ? undefined : /^[^:=]*[:=]\s*(["']?)(.*?)\1,?\s*$/.exec(line)?.[2];
    if (value !== undefined && /\s/.test(value)) yield value;
    for (const [token] of line.matchAll(TOKEN)) yield token;
  }
}

/** Percent signs are how Yarn's `patch:` protocol writes slashes and colons. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A path below the root, as the settings of `folder` mean it: `./x`, `x`, `~/x` (Yarn: the root), `${PWD}/x`. */
function pathOf(token: string, folder: string): string | null {
  const text = decoded(token).replace(/^\$\{?(?:PWD|INIT_CWD|PROJECT_CWD)\}?\//, '');
  const path = text.startsWith('~/') ? normalize(text.slice(2)) : normalize(join(folder, text));
  return path === '.' || path.startsWith('..') || path.startsWith('/') ? null : path.replace(/\/$/, '');
}

/** Of a path whose every part is a folder or a file itself, no link; null where there is none. */
async function statOf(root: string, path: string): Promise<Stats | null> {
  let at = root;
  let info: Stats | null = null;
  for (const part of path.split('/')) {
    at = join(at, part);
    info = await lstat(at).catch(() => null);
    if (info === null || info.isSymbolicLink()) return null;
  }
  return info;
}

/**
 * Files and folders of the repository that settings name: patches, plugins, a package manager of the repository's own, hooks,
 * certificates, a mirror of packages. A rule rather than a list of keys, since every package manager has keys of its own.
 */
export async function namedPaths(
  root: string,
  folder: string,
  text: string,
): Promise<{ path: string; isFile: boolean }[]> {
  const found = new Map<string, { path: string; isFile: boolean }>();
  let count = 0;
  for (const token of candidates(text)) {
    if (++count > MAX_TOKENS) break;
    if (!LOOKS_LIKE_PATH.test(token) || token.length > 500) continue;
    // In YAML and JSON a path is relative to the file's folder, for pnpm's workspace and Yarn always to the root.
    for (const path of new Set([pathOf(token, folder), pathOf(token, '.')])) {
      if (path === null || found.has(path) || /(?:^|\/)(?:node_modules|\.git)(?:\/|$)/.test(path)) continue;
      const info = await statOf(root, path);
      if (info?.isFile() || info?.isDirectory()) found.set(path, { path, isFile: info.isFile() });
    }
  }
  return [...found.values()];
}
