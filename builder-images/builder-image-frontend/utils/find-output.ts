import { lstatSync, writeFileSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where builds write, the usual ones first. */
const USUAL = [
  'dist',
  'build',
  'out',
  'public',
  '_site',
  'www',
  'docs/.vitepress/dist',
  '.vitepress/dist',
  'docs/.vuepress/dist',
  '.vuepress/dist',
  '.output/public',
  'docs/dist',
  'dist/public',
  'dist/client',
  'dist/browser',
  'build/client',
  'public_html',
  'htdocs',
  'site',
  'web',
  'html',
  'output',
  'docs',
];
/** Dot folders that are walked into, since a generator writes below them. */
const DOT_FOLDERS = ['.output', '.vitepress', '.vuepress'];
/** And of these only what is written for visitors. */
const ONLY: Readonly<Record<string, string>> = { '.output': 'public', '.vitepress': 'dist', '.vuepress': 'dist' };
/** Pages of reports and of other packages are not the site. */
const NEVER =
  /^(?:node_modules|bower_components|vendor|coverage|htmlcov|lcov-report|[\w-]*-reports?|reports?|storybook-static|tests?|__tests__|e2e|fixtures?|examples?|tmp|temp)$/i;
const MAX_DEPTH = 5;
/** More than this is no site that a rule could choose well; the log says so by the failure. */
const MAX_NAMES = 200_000;

export interface FoundOutput {
  /** Relative to the package, `/` as separator. */
  readonly path: string;
  /** Its index.html itself was written; otherwise something beside or below it. */
  readonly pageIsNew: boolean;
}

/**
 * The change time (ns) that the file system gives right now. What a build writes afterwards has a later one, which only root
 * could set back.
 */
export function markTime(work: string): bigint {
  const marker = join(work, 'control/built');
  writeFileSync(marker, '');
  return lstatSync(marker, { bigint: true }).ctimeNs;
}

export interface FindOptions {
  /** The package's folder, every link on the way to it followed. */
  readonly folder: string;
  /** What `markTime` gave before the build. */
  readonly since: bigint;
  /** Where the build has a user of its own, pages of others (hard links) do not count. */
  readonly ownerUid: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Folders below a package that hold an index.html and that the build has written to, the likeliest first. Only names and times
 * are looked at; no link is followed and nothing is opened but folders. The package's own folder is none: its sources lie in it.
 */
export async function findOutputs({ folder, since, ownerUid, signal }: FindOptions): Promise<FoundOutput[]> {
  const found: FoundOutput[] = [];
  let seen = 0;

  /** True where something at or below it was written. */
  const visit = async (path: string, depth: number): Promise<boolean> => {
    signal.throwIfAborted();
    const names = await namesOf(join(folder, path), MAX_NAMES - seen);
    seen += names.length;
    // A folder with a manifest is another package, whose build is not this one.
    if (path !== '' && names.includes('package.json')) return false;
    let isWritten = false;
    let page: { readonly isNew: boolean } | undefined;
    for (const name of names.sort()) {
      if (/[\u0000-\u001f\u007f\\\ufffd]/.test(name)) continue;
      const below = path === '' ? name : `${path}/${name}`;
      const info = lstatSync(join(folder, below), { bigint: true, throwIfNoEntry: false });
      if (!info) continue;
      if (info.isDirectory()) {
        if (depth < MAX_DEPTH && isWalked(path, name) && (await visit(below, depth + 1))) isWritten = true;
      } else if (info.isFile()) {
        const isNew = info.ctimeNs > since;
        isWritten ||= isNew;
        if (/^index\.html?$/i.test(name) && (ownerUid === undefined || info.uid === BigInt(ownerUid)))
          page = { isNew: isNew || page?.isNew === true };
      }
    }
    if (page && path !== '' && (page.isNew || (isWritten && USUAL.includes(path))))
      found.push({ path, pageIsNew: page.isNew });
    return isWritten;
  };
  await visit('', 0);
  return found.sort(compare);
}

/** Names in a folder, no more than `most`; none where it cannot be read. */
export async function namesOf(folder: string, most: number): Promise<string[]> {
  const names: string[] = [];
  if (most <= 0) return names;
  try {
    for await (const { name } of await opendir(folder)) {
      names.push(name);
      if (names.length >= most) break;
    }
  } catch {
    // Without the right to read it there is nothing to publish in it either.
  }
  return names;
}

function isWalked(parent: string, name: string): boolean {
  const above = parent.slice(parent.lastIndexOf('/') + 1);
  const only = Object.hasOwn(ONLY, above) ? ONLY[above] : undefined;
  if (only !== undefined && name !== only) return false;
  return name.startsWith('.') ? DOT_FOLDERS.includes(name) : !NEVER.test(name);
}

/** A page that was written, then the usual names, then what lies higher, then by name. */
function compare(a: FoundOutput, b: FoundOutput): number {
  const depth = ({ path }: FoundOutput) => path.split('/').length;
  const usual = ({ path }: FoundOutput) => (USUAL.includes(path) ? USUAL.indexOf(path) : USUAL.length);
  return (
    Number(b.pageIsNew) - Number(a.pageIsNew) ||
    usual(a) - usual(b) ||
    depth(a) - depth(b) ||
    (a.path < b.path ? -1 : 1)
  );
}
