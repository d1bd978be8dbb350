import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';

const found = new Map<string, string>();

/** The absolute path of git in the folders of `path`. Throws GIT_MISSING. */
export function findGit(path = ''): string {
  const known = found.get(path);
  if (known !== undefined) return known;
  const git = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, 'git'))
    .find(isProgram);
  if (git === undefined) throw new VerenError('GIT_MISSING');
  found.set(path, git);
  return git;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
