import { join, parent, upward } from '../../../../../contract/repo-fs.ts';
import { namesWhere } from '../listedNames.ts';
import type { Snapshot } from '../snapshot.ts';

export interface GoModule {
  readonly file: string;
  readonly name: string;
  /** Of the `go` line. */
  readonly version: string | undefined;
  /** Paths of the modules that it requires itself, not for another one. */
  readonly requires: readonly string[];
  /** Folder that has to be there for the build: the module's own, or one above that it reaches into. */
  readonly root: string;
}

const MAX_LINES = 5_000;
/** No line of a real go.mod is longer, and the time of the expressions below grows with it. */
const MAX_LINE = 1_000;

/** What a go.mod says; undefined where there is none. Source: https://go.dev/ref/mod */
export function readModule(repo: Snapshot, dir: string): GoModule | undefined {
  const file = join(dir, 'go.mod');
  const text = repo.text(file);
  if (text === undefined) return undefined;
  const requires: string[] = [];
  let name = '';
  let version: string | undefined;
  let reachesOut = 0;
  for (const line of text.slice(0, 512 * 1024).split(/\r?\n/, MAX_LINES)) {
    if (line.length > MAX_LINE) continue;
    const words = line
      .replace(/\/\/(?! indirect).*$/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === 'module') name = (words[1] ?? '').replace(/^"|"$/g, '');
    if (words[0] === 'go' && /^\d+\.\d+/.test(words[1] ?? '')) version = words[1];
    const path = words[0] === 'require' ? words[1] : words[0];
    if (path !== undefined && /^[\w.-]+\.[\w.-]+\//.test(path) && !line.includes('// indirect')) requires.push(path);
    const target = /=>\s{1,9}(\.\.?\/[^\s]{0,200})/.exec(line)?.[1];
    if (target) reachesOut = Math.max(reachesOut, target.split('/').filter((part) => part === '..').length);
  }
  return { file, name, version, requires, root: rootOf(repo, dir, reachesOut) };
}

/** A workspace above, or as many folders up as a `replace` leads. */
function rootOf(repo: Snapshot, dir: string, reachesOut: number): string {
  const workspace = [...upward(dir)].slice(1).find((at) => repo.has(join(at, 'go.work')));
  if (workspace !== undefined) return workspace;
  let at = dir;
  for (let i = 0; i < reachesOut; i++) at = parent(at) ?? '.';
  return at;
}

export interface MainPackage {
  /** Relative to the module: `.` or `./cmd/api`. */
  readonly path: string;
  readonly file: string;
  readonly code: string;
}

const MAX_SOURCE = 64 * 1024;

/** The packages of a module that are programs: its own folder's, and those below `cmd`. */
export function mainPackages(repo: Snapshot, dir: string): MainPackage[] {
  const folders: [path: string, folder: string][] = [['.', dir]];
  const commands = join(dir, 'cmd');
  if (repo.fs.list(commands).get('main.go') === 'file') folders.push(['./cmd', commands]);
  for (const [name, kind] of repo.fs.list(commands))
    if (kind === 'directory' && /^[\w.-]{1,100}$/.test(name)) folders.push([`./cmd/${name}`, join(commands, name)]);
  return folders.flatMap(([path, folder]) => {
    const isSource = (name: string) =>
      name.endsWith('.go') && !name.endsWith('_test.go') && repo.text(join(folder, name)) !== undefined;
    const sources = namesWhere(repo.fs, folder, isSource).map((name) => join(folder, name));
    const main = sources.find(
      (file) => /^func main\(\)/m.test(codeOf(repo, file)) && /^package main\b/m.test(codeOf(repo, file)),
    );
    if (main === undefined) return [];
    const code = sources.map((file) => codeOf(repo, file)).join('\n');
    return [{ path, file: main, code }];
  });
}

const codeOf = (repo: Snapshot, file: string): string => (repo.code(file) ?? '').slice(0, MAX_SOURCE);
