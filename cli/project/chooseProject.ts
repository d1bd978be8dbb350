import { ProjectIdSchema } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';
import { readLink } from './linkFile.ts';

/** The name as it was given. Throws CLI_USAGE for what no project can be called. */
export function checkProjectName(name: string): string {
  const checked = ProjectIdSchema.safeParse(name);
  if (checked.success) return checked.data;
  const reason = `"${name.slice(0, 80)}" is no name of a project: ${checked.error.issues[0]?.message}.`;
  throw new VerenError('CLI_USAGE', { reason, help: 'veren projects' });
}

/** The project that was named, or the one that this folder is linked to; undefined where it is neither. */
export async function findProject(shell: Shell, named: string | undefined): Promise<string | undefined> {
  return named === undefined ? readLink(shell) : checkProjectName(named);
}

/** As `findProject`. Throws CLI_NO_PROJECT where there is none. */
export async function requireProject(shell: Shell, named: string | undefined): Promise<string> {
  const found = await findProject(shell, named);
  if (found === undefined)
    throw new VerenError('CLI_NO_PROJECT', { reason: 'none was named, and this folder is not linked to one.' });
  return found;
}
