import { parse } from 'smol-toml';
import { join, upward } from '../../../../contract/repo-fs.ts';
import type { Snapshot } from './snapshot.ts';

/** What a repository says of a tool's version: where, by which rule, in its own words. */
export interface VersionStatement {
  readonly file: string;
  readonly rule: string;
  readonly text: string;
}

const MAX_TOML = 256 * 1024;

/** A TOML file as an object; undefined where it is absent, large, or no TOML. */
export function readToml(repo: Snapshot, file: string): Readonly<Record<string, unknown>> | undefined {
  const text = repo.text(file);
  if (text === undefined || text.length > MAX_TOML) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** The value below a chain of tables; undefined where one of them is something else. */
export function valueAt(value: unknown, ...names: readonly string[]): unknown {
  let at = value;
  for (const name of names) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

export const firstLine = (text: string | undefined): string | undefined =>
  text
    ?.slice(0, 4_096)
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .find((line) => line !== '');

/** What `.tool-versions` (asdf) and mise's files say of a tool in one folder. Sources: the documentation of asdf and of mise. */
function managedVersion(repo: Snapshot, dir: string, tools: readonly string[]): VersionStatement | undefined {
  const file = join(dir, '.tool-versions');
  for (const line of (repo.text(file) ?? '').slice(0, 16_384).split(/\r?\n/)) {
    const [name = '', version = ''] = line.trim().split(/\s+/);
    if (tools.includes(name) && version !== '' && !version.startsWith('#'))
      return { file, rule: '.tool-versions', text: version };
  }
  for (const name of ['mise.toml', '.mise.toml']) {
    const toml = readToml(repo, join(dir, name));
    for (const tool of tools) {
      const told = valueAt(toml, 'tools', tool);
      const version = Array.isArray(told) ? told[0] : (valueAt(told, 'version') ?? told);
      if (typeof version === 'string') return { file: join(dir, name), rule: `mise tools.${tool}`, text: version };
    }
  }
  return undefined;
}

/** The statement of the folder nearest to a target; within a folder `own` comes first. */
export function nearestStatement(
  repo: Snapshot,
  dir: string,
  tools: readonly string[],
  own: (at: string) => VersionStatement | undefined,
): VersionStatement | undefined {
  for (const at of upward(dir)) {
    const found = own(at) ?? managedVersion(repo, at, tools);
    if (found) return found;
  }
  return undefined;
}

/** Words of a repository in a sentence. */
export const shortenText = (text: string): string =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text).replace(/[\u0000-\u001f\u007f]/g, '?').trim();
