import { appendFile, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ProjectIdSchema } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import { runGit } from '../git/runGit.ts';
import type { Shell } from '../shell.ts';
import { noteInFolderMemory, readFolderMemory } from '../upload/folderMemory.ts';

/** Says which project a folder is. It names no address: that a repository could otherwise send the token to. */
export const LINK_FILE = '.veren-project.json';
const MAX_BYTES = 4_096;
const LinkSchema = z.object({ projectId: ProjectIdSchema });

/**
 * The project that this folder, or one above up to the repository's top, was linked to; undefined where none was. Throws
 * CLI_FILE_INVALID, CLI_LINK_COMMITTED for a file that came with the repository, and CLI_NO_PROJECT for one that only the
 * folder tells of (an archive may have a `.git` of its own): its author must not choose which project of the user is
 * changed.
 */
export async function readLink(shell: Shell, folder = shell.cwd): Promise<string | undefined> {
  const top = await runGit(shell, folder, ['rev-parse', '--show-toplevel']).catch(() => null);
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, LINK_FILE);
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw new VerenError('CLI_FILE_INVALID', { file, reason: error.code ?? 'unknown' });
    });
    if (text !== undefined) {
      const { projectId } = parseLink(file, text);
      if (top && (await runGit(shell, at, ['ls-files', '--error-unmatch', '--', LINK_FILE])) !== null)
        throw new VerenError('CLI_LINK_COMMITTED', { file, projectId });
      if ((await readFolderMemory(shell, at)).linked !== projectId)
        throw new VerenError('CLI_NO_PROJECT', {
          reason: `the folder says "${projectId}" (${file}), and was not linked by you here. If that is right: veren link ${projectId}.`,
        });
      return projectId;
    }
    if (!top || at === resolve(top) || dirname(at) === at) return undefined;
  }
}

function parseLink(file: string, text: string): z.infer<typeof LinkSchema> {
  try {
    if (text.length > MAX_BYTES) throw new Error('too long');
    return LinkSchema.parse(JSON.parse(text));
  } catch {
    throw new VerenError('CLI_FILE_INVALID', { file, reason: 'it has not the form {"projectId": "…"}' });
  }
}

/** Links the folder; git is told to ignore the file, in this clone alone. Gives the file. */
export async function writeLink(shell: Shell, folder: string, projectId: string): Promise<string> {
  const file = join(folder, LINK_FILE);
  const temporary = `${file}.${process.pid}`;
  // A name that is new, then renamed: a link at either name is replaced and not followed.
  await rm(temporary, { force: true });
  await writeFile(temporary, `${JSON.stringify({ projectId }, null, 2)}\n`, { flag: 'wx' });
  await rename(temporary, file);
  await noteInFolderMemory(shell, folder, { linked: projectId });
  await ignoreLink(shell, folder);
  return file;
}

async function ignoreLink(shell: Shell, folder: string): Promise<void> {
  const ignored = await runGit(shell, folder, ['check-ignore', '--quiet', '--', LINK_FILE]).catch(() => null);
  if (ignored !== null) return;
  const exclude = await runGit(shell, folder, ['rev-parse', '--git-path', 'info/exclude']).catch(() => null);
  if (!exclude) return;
  const path = resolve(folder, exclude);
  // Whoever made the repository may have it lead to a file of the user's.
  for (const at of [dirname(path), path])
    if (
      await lstat(at).then(
        (info) => info.isSymbolicLink(),
        () => false,
      )
    )
      return;
  await mkdir(dirname(path), { recursive: true });
  const before = await readFile(path, 'utf8').catch(() => '');
  await appendFile(path, `${before === '' || before.endsWith('\n') ? '' : '\n'}${LINK_FILE}\n`);
}

/** False where the folder was not linked. */
export async function removeLink(folder: string): Promise<boolean> {
  return rm(join(folder, LINK_FILE)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
