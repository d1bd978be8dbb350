import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { countOf } from '../../contract/count.ts';
import { VerenError } from '../../contract/errors.ts';
import { formatBytes } from '../client/summary.ts';
import type { CommandContext } from '../commandContext.ts';
import { listIgnored } from '../git/listIgnored.ts';
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
  // Where links lead, since a link to a home is a home.
  const [real, home] = await Promise.all([realpath(folder), realpath(shell.home).catch(() => resolve(shell.home))]);
  if (isWithin(real, home) || dirname(real) === real) throw new VerenError('CLI_FOLDER_TOO_WIDE', { folder });
  return folder;
}

const isWithin = (outer: string, inner: string): boolean =>
  `${inner}${sep}`.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);

/**
 * The real path of a folder that an assistant has named: the folder that `veren mcp` was started in or one below, since
 * whatever is sent can be read by others. Throws CLI_USAGE for any other, and as `findFolder`.
 */
export async function findFolderBelow(context: Pick<CommandContext, 'shell'>, given: string): Promise<string> {
  const [outer, folder] = await Promise.all([
    findFolder(context, undefined).then((path) => realpath(path)),
    findFolder(context, given).then((path) => realpath(path)),
  ]);
  if (isWithin(outer, folder)) return folder;
  const reason = `${folder} is not below ${outer}, where "veren mcp" was started; no other folder is uploaded.`;
  throw new VerenError('CLI_USAGE', { reason, help: 'veren mcp --help' });
}

async function findGitAbove(folder: string): Promise<string | null> {
  for (let at = folder; ; at = dirname(at)) {
    const isTop = await lstat(join(at, '.git')).then(
      () => true,
      () => false,
    );
    if (isTop) return at;
    if (dirname(at) === at) return null;
  }
}

export interface UploadOptions {
  /**
   * Nobody sees stderr in time, so `.verenignore` brings nothing in, and what git ignores has to be known. Default: false.
   */
  readonly forAssistant?: boolean;
  /** Is given what `.verenignore` alone asks for: it is uploaded, or for an assistant left out. */
  readonly onBroughtIn?: (paths: readonly string[]) => void;
}

/**
 * Uploads a folder to a project, telling on stderr how far it is, and what `.verenignore` brings in: whoever wrote it may
 * want the user's secrets. Gives the id of the upload.
 */
export async function uploadToProject(
  context: CommandContext,
  given: string,
  projectId: string,
  { forAssistant = false, onBroughtIn }: UploadOptions = {},
): Promise<string> {
  // Git tells its top folder without links; by another name the rules above this one would not be found.
  const folder = await realpath(given);
  const { shell, client, chosen, style } = context;
  const told = await runGit(shell, folder, ['rev-parse', '--show-toplevel']).catch(() => null);
  // Where git is missing or refuses, its folder still tells that there is a repository, whose rules count.
  const top = told ?? (await findGitAbove(folder));
  const above = top ? relative(top, folder).split(sep) : [];
  const isBelow = above.length > 0 && above[0] !== '..' && above[0] !== '';
  const rules = await IgnoreRules.of(folder, isBelow ? above : [], async (at) => {
    const ignored = await listIgnored(shell, at);
    if (ignored !== null) return ignored;
    const reason = `git does not say what it ignores in ${at}`;
    if (forAssistant)
      throw new VerenError('CLI_USAGE', { reason: `${reason}, so it is not uploaded.`, help: 'git status' });
    tellUser(
      shell,
      style.safe(`${reason}, so only .gitignore and .verenignore are followed there, as "veren" reads them.`),
    );
    return null;
  });
  const listing = await listFolder(folder, rules, { windows: shell.platform === 'win32', bringsIn: !forAssistant });
  if (listing.files.length === 0)
    throw new VerenError('UPLOAD_INVALID', { reason: `${folder} holds no file that is uploaded.` });
  if (listing.leftOut.length > 0) {
    const named = listing.leftOut.slice(0, NAMED).join(', ');
    const more = listing.leftOut.length > NAMED ? ', …' : '';
    tellUser(shell, style.safe(`Left out, since it leads out of the folder or is no file: ${named}${more}`));
  }
  if (listing.broughtIn.length > 0) {
    onBroughtIn?.(listing.broughtIn);
    if (!forAssistant)
      tellUser(
        shell,
        'Uploaded since .verenignore asks for them, though they would stay here otherwise:',
        ...listing.broughtIn.map((path) => style.safe(`  ${path}`)),
      );
  }
  const files = await hashFiles(folder, listing.files);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  tellUser(shell, style.safe(`Uploading ${folder}: ${countOf(files.length, 'file')}, ${formatBytes(bytes)}`));
  const { last } = await readFolderMemory(shell, folder);
  let toldAt = shell.now();
  let sent = { files: 0, bytes: 0 };
  const uploadId = await uploadFolder({
    ...{ client, projectId, folder, files },
    targets: new Map(listing.files.flatMap(({ path, target }) => (target === undefined ? [] : [[path, target]]))),
    before: last?.projectId === projectId && last.url === chosen.url ? last : undefined,
    onProgress(now) {
      sent = now;
      if (shell.now() - toldAt < TELL_MS) return;
      toldAt = shell.now();
      tellUser(shell, `Sent ${now.files} of ${now.lacking} files that were lacking (${formatBytes(now.bytes)})`);
    },
  });
  tellUser(shell, `Sent ${countOf(sent.files, 'file')}, ${formatBytes(sent.bytes)}`);
  await noteInFolderMemory(shell, folder, { last: { url: chosen.url, projectId, uploadId, files } });
  return uploadId;
}
