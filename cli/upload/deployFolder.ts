import { stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { formatBytes } from '../client/summary.ts';
import type { CommandContext } from '../commandContext.ts';
import { runGit } from '../git/runGit.ts';
import { tellUser } from '../shell.ts';
import { noteInFolderMemory, readFolderMemory } from './folderMemory.ts';
import { IgnoreRules } from './ignoreRules.ts';
import { listFolder } from './listFolder.ts';
import { hashFiles } from './readContent.ts';
import { uploadFolder } from './uploadFolder.ts';

/** What is left out is named up to here. */
const NAMED = 5;
const TELL_MS = 2_000;

/** The folder that is meant. Throws CLI_USAGE where there is none, CLI_FOLDER_TOO_WIDE for a whole home or disk. */
export async function findFolder({ shell }: Pick<CommandContext, 'shell'>, given: string | undefined): Promise<string> {
  const folder = resolve(shell.cwd, given ?? '.');
  const isFolder = await stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new VerenError('CLI_USAGE', { reason: `there is no folder ${folder}.`, help: 'veren deploy --help' });
  const holdsHome = `${resolve(shell.home)}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
  if (holdsHome || dirname(folder) === folder) throw new VerenError('CLI_FOLDER_TOO_WIDE', { folder });
  return folder;
}

/** Uploads a folder to a project, telling on stderr how far it is. Gives the id of the upload. */
export async function uploadToProject(context: CommandContext, folder: string, projectId: string): Promise<string> {
  const { shell, client, chosen, style } = context;
  const top = await runGit(shell, folder, ['rev-parse', '--show-toplevel']).catch(() => null);
  const above = top ? relative(top, folder).split(sep) : [];
  const isBelow = above.length > 0 && above[0] !== '..' && above[0] !== '';
  const rules = await IgnoreRules.of(folder, isBelow ? above : []);
  const listing = await listFolder(folder, rules, { windows: shell.platform === 'win32' });
  if (listing.files.length === 0)
    throw new VerenError('UPLOAD_INVALID', { reason: `${folder} holds no file that is uploaded.` });
  if (listing.leftOut.length > 0) {
    const named = listing.leftOut.slice(0, NAMED).join(', ');
    const more = listing.leftOut.length > NAMED ? ', …' : '';
    tellUser(shell, style.safe(`Left out, since it leads out of the folder or is no file: ${named}${more}`));
  }
  const files = await hashFiles(folder, listing.files);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  tellUser(shell, style.safe(`Uploading ${folder}: ${files.length} files, ${formatBytes(bytes)}`));
  const { last } = await readFolderMemory(shell, folder);
  let told = shell.now();
  let sent = { files: 0, bytes: 0 };
  const uploadId = await uploadFolder({
    ...{ client, projectId, folder, files },
    targets: new Map(listing.files.flatMap(({ path, target }) => (target === undefined ? [] : [[path, target]]))),
    before: last?.projectId === projectId && last.url === chosen.url ? last : undefined,
    onProgress(now) {
      sent = now;
      if (shell.now() - told < TELL_MS) return;
      told = shell.now();
      tellUser(shell, `Sent ${now.files} of ${now.lacking} files that were lacking (${formatBytes(now.bytes)})`);
    },
  });
  tellUser(shell, `Sent ${sent.files} ${sent.files === 1 ? 'file' : 'files'}, ${formatBytes(sent.bytes)}`);
  await noteInFolderMemory(shell, folder, { last: { url: chosen.url, projectId, uploadId, files } });
  return uploadId;
}
