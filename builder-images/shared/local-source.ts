import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { depthOf } from './fetch-depth.ts';
import { runTrusted } from './processes.ts';
import { programPath, SYSTEM_PATH } from './programs.ts';

const TIMEOUT_MS = 120_000;

/** Every folder on the way may be entered by others, and the repository read. */
function isOpenToOthers(path: string): boolean {
  try {
    for (let at = dirname(path); ; at = dirname(at)) {
      if ((statSync(at).mode & 0o001) === 0) return false;
      if (at === dirname(at)) break;
    }
    return (statSync(path).mode & 0o005) === 0o005;
  } catch {
    return false;
  }
}

/**
 * On a laptop a repository may be a folder that the build user cannot read. Then the commit is copied to a place where
 * it can: the folder's owner wants it built, and git as root runs nothing that a repository names. Returns the URL to
 * fetch from.
 */
export function reachableUrl(url: string, raw: Readonly<Record<string, string>>, work: string): string {
  const allowed = (raw.GIT_ALLOW_PROTOCOL ?? '').split(':').includes('file');
  if (!url.startsWith('file:///') || !allowed || isOpenToOthers(fileURLToPath(url))) return url;
  const copy = join(work, 'origin');
  const home = join(work, 'control');
  writeFileSync(join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n', { mode: 0o600, flag: 'wx' });
  mkdirSync(copy, { mode: 0o755 });
  const env = {
    PATH: SYSTEM_PATH,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file',
  };
  const runsWell = (...args: string[]) =>
    runTrusted({ argv: [programPath('git'), '-C', copy, ...args], cwd: '/', env }, TIMEOUT_MS) === 0;
  const commit = raw.GIT_COMMIT!;
  const depth = depthOf(raw);
  const history = depth === 0 ? [] : ['--depth', String(depth)];
  const tags = raw.GIT_TAGS === '1' ? [] : ['--no-tags'];
  const copied =
    runsWell('init', '--bare', '--quiet') &&
    runsWell(
      'fetch',
      '--quiet',
      ...history,
      ...tags,
      '--no-recurse-submodules',
      '--',
      url,
      `+${commit}:refs/heads/veren`,
    );
  // If the copy fails, the fetch fails too, with a reason.
  return copied ? pathToFileURL(copy).href : url;
}
