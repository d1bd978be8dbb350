import { VerenError } from '../../../../../contract/errors.ts';
import { join } from '../../../../../contract/repo-fs.ts';
import {
  MAX_SETTINGS_BYTES,
  SETTINGS_FILE,
  type SettingsFile,
  SettingsFileSchema,
} from '../../../../../contract/settings-file.ts';
import { parseJsonObject } from '../packageJson.ts';
import type { Snapshot } from '../snapshot.ts';
import { faultsOf, joinFaults, type SettingsFault } from './faults.ts';

/** A settings file as it was read: empty settings where it has faults. */
export interface ReadSettings {
  readonly file: string;
  readonly settings: SettingsFile;
  /** Worked out when somebody asks: there may be hundreds of files, and one or two matter. */
  readonly listFaults: () => readonly SettingsFault[];
}

const known = new WeakMap<Snapshot, Map<string, ReadSettings | undefined>>();

/** The settings file of a folder, read once; undefined where there is none. Never throws. */
export function readSettings(repo: Snapshot, dir: string): ReadSettings | undefined {
  const read = known.get(repo) ?? new Map<string, ReadSettings | undefined>();
  known.set(repo, read);
  if (!read.has(dir)) read.set(dir, readSettingsFile(repo, dir));
  return read.get(dir);
}

function readSettingsFile(repo: Snapshot, dir: string): ReadSettings | undefined {
  const file = join(dir, SETTINGS_FILE);
  const kind = repo.fs.kind(file);
  if (kind === undefined) return undefined;
  const refused = (advice: string): ReadSettings => ({ file, settings: {}, listFaults: () => [{ field: '', advice }] });
  if (kind === 'symlink') return refused('it is a symbolic link, and links are not followed');
  if (kind !== 'file') return refused('it is no file');
  const text = repo.text(file);
  if (text === undefined && repo.head(file) === undefined)
    return refused('the repository has too many manifests to read it');
  if (text === undefined || Buffer.byteLength(text) > MAX_SETTINGS_BYTES)
    return refused(`it may have ${MAX_SETTINGS_BYTES} bytes at most`);
  if (text.includes('\ufffd')) return refused('it must be UTF-8');
  const { settings, listFaults } = parseSettings(text);
  return {
    file,
    settings,
    listFaults: dir === '.' ? listFaults : () => [...listFaults(), ...misplacedSettings(settings)],
  };
}

/** The text of a settings file: what it says, or everything that is wrong with it. */
export function parseSettings(text: string): Pick<ReadSettings, 'settings' | 'listFaults'> {
  let json: unknown;
  try {
    json = parseJsonObject(text);
  } catch (error) {
    const advice = (error as Error).message;
    return { settings: {}, listFaults: () => [{ field: '', advice }] };
  }
  const parsed = SettingsFileSchema.safeParse(json);
  return parsed.success
    ? { settings: parsed.data, listFaults: () => [] }
    : { settings: {}, listFaults: () => faultsOf(parsed.error.issues) };
}

/** What only the file in the root can say. */
function misplacedSettings(settings: SettingsFile): SettingsFault[] {
  const faults: SettingsFault[] = [];
  const advice = `belongs into ${SETTINGS_FILE} in the root of the repository`;
  for (const field of ['git', 'publication'] as const)
    if (settings[field] !== undefined)
      faults.push({ field, advice: `holds for the whole deployment, so it ${advice}` });
  for (const target of ['frontend', 'backend'] as const)
    if (settings[target] && settings[target].path !== undefined)
      faults.push({ field: `${target}.path`, advice: `is the folder of this file; another one ${advice}` });
  return faults;
}

/** @throws VerenError SETTINGS_FILE_INVALID with every fault */
export function requireValid(read: ReadSettings, more: readonly SettingsFault[] = []): SettingsFile {
  const faults = [...read.listFaults(), ...more];
  if (faults.length > 0) throw new VerenError('SETTINGS_FILE_INVALID', { file: read.file, faults: joinFaults(faults) });
  return read.settings;
}
