import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ProjectIdSchema } from '../../contract/api.ts';
import { UploadFileSchema, UploadIdSchema } from '../../contract/uploads.ts';
import { configFolder } from '../contexts/configFolder.ts';
import type { Shell } from '../shell.ts';

/**
 * What the user's configuration knows of a folder, apart from the folder's own files, which somebody else may have
 * written.
 */
const FolderMemorySchema = z.object({
  v: z.literal(1),
  /** The project that the user has linked it to. */
  linked: ProjectIdSchema.optional(),
  /** What was uploaded of it last, so that the next time only what differs is told. */
  last: z
    .object({
      url: z.string(),
      projectId: ProjectIdSchema,
      uploadId: UploadIdSchema,
      files: z.array(UploadFileSchema),
    })
    .optional(),
});
export type FolderMemory = z.infer<typeof FolderMemorySchema>;

const fileOf = async (shell: Shell, folder: string) => {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  return join(configFolder(shell), 'folders', `${name}.json`);
};

/** Empty where nothing is known, or nothing that can be read. */
export async function readFolderMemory(shell: Shell, folder: string): Promise<FolderMemory> {
  const text = await readFile(await fileOf(shell, folder), 'utf8').catch(() => '');
  try {
    return FolderMemorySchema.parse(JSON.parse(text));
  } catch {
    return { v: 1 };
  }
}

/**
 * Changes it, as a whole, for the user alone: paths tell what somebody works on. Where nothing can be kept (a container
 * without a home) the next command just knows less.
 */
export async function noteInFolderMemory(shell: Shell, folder: string, change: Omit<FolderMemory, 'v'>): Promise<void> {
  const memory: FolderMemory = { ...(await readFolderMemory(shell, folder)), ...change };
  const file = await fileOf(shell, folder);
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(join(configFolder(shell), 'folders'), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    await writeFile(temporary, JSON.stringify(memory), { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
