import { upward } from '../../../../contract/repo-fs.ts';
import { managedVersions, type VersionStatement } from './managedVersions.ts';
import type { Snapshot } from './snapshot.ts';

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

/** The statement of the folder nearest to a target; within a folder `own` comes first. */
export function nearestStatement(
  repo: Snapshot,
  dir: string,
  tools: readonly string[],
  own: (at: string) => VersionStatement | undefined,
): VersionStatement | undefined {
  for (const at of upward(dir)) {
    const found = own(at) ?? managedVersions(repo, at, tools).next().value;
    if (found) return found;
  }
  return undefined;
}

/** Words of a repository in a sentence. */
export const shortenText = (text: string): string =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text).replace(/[\u0000-\u001f\u007f]/g, '?').trim();
