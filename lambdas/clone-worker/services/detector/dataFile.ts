import { join } from '../../../../contract/repo-fs.ts';
import type { Snapshot } from './snapshot.ts';
import { parseJsonc } from './sourceText.ts';
import { readToml } from './tomlText.ts';
import { readYaml } from './yamlText.ts';

export type Data = Readonly<Record<string, unknown>>;

/** A configuration file that is data: TOML, YAML or JSON by its name. Undefined where it is absent or none of these. */
export function readData(repo: Snapshot, file: string, keys: readonly string[]): Data | undefined {
  const source = repo.text(file);
  if (source === undefined) return undefined;
  if (file.endsWith('.toml')) return readToml(source);
  if (/\.ya?ml$/.test(file)) return readYaml(source, keys);
  const value = source.length > MAX_JSON ? undefined : parseJsonc(source);
  return isTable(value) ? value : undefined;
}
const MAX_JSON = 256 * 1024;

export const isTable = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A table's value by its name in any case: Hugo's keys have none. */
export function entryOf(data: Data | undefined, name: string): unknown {
  if (data === undefined) return undefined;
  const key = Object.keys(data).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : data[key];
}

/** The same where it is a text that is not empty. */
export function textOf(data: Data | undefined, name: string): string | undefined {
  const value = entryOf(data, name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

export const tableOf = (data: Data | undefined, name: string): Data | undefined => {
  const value = entryOf(data, name);
  return isTable(value) ? value : undefined;
};

/** The first of these files that is there. */
export const firstFile = (repo: Snapshot, dir: string, names: readonly string[]): string | undefined =>
  names.map((name) => join(dir, name)).find((file) => repo.has(file));
