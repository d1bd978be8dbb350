import { join } from '../../../../contract/repo-fs.ts';
import { entryOf, isTable, tableOf } from './dataFile.ts';
import { MISE_FILES } from './miseFile.ts';
import type { Snapshot } from './snapshot.ts';
import { readToml } from './tomlText.ts';

/** What a repository says of a tool's version: where, by which rule, in its own words. */
export interface VersionStatement {
  readonly file: string;
  readonly rule: string;
  readonly text: string;
}

const ASDF = '.tool-versions';

/**
 * What version managers are told of a tool in one folder: asdf in `.tool-versions`, then mise in the first of its files.
 * Sources: the documentation of asdf and of mise.
 */
export function* managedVersions(repo: Snapshot, dir: string, tools: readonly string[]): Generator<VersionStatement> {
  const read = (name: string) => repo.text(join(dir, name)) ?? '';
  for (const line of read(ASDF).slice(0, 16_384).split(/\r?\n/)) {
    const [name = '', text = ''] = line.trim().split(/\s+/);
    if (tools.includes(name) && text !== '' && !text.startsWith('#')) yield { file: join(dir, ASDF), rule: ASDF, text };
  }
  for (const name of MISE_FILES) {
    const text = miseVersion(read(name), tools);
    if (text !== undefined) yield { file: join(dir, name), rule: 'mise tools', text };
  }
}

/** `hugo = "0.128"`, `hugo = ["0.128"]`, `"aqua:gohugoio/hugo" = {version = "0.128"}` below `[tools]`. */
function miseVersion(source: string, tools: readonly string[]): string | undefined {
  for (const [name, value] of Object.entries(tableOf(readToml(source), 'tools') ?? {})) {
    if (!tools.includes(name.replace(/^.*[:/]/, ''))) continue;
    const first: unknown = Array.isArray(value) ? value[0] : value;
    const version = isTable(first) ? entryOf(first, 'version') : first;
    if (typeof version === 'string' || typeof version === 'number') return String(version);
  }
  return undefined;
}
