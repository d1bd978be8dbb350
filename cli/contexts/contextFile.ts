import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';

/** The form of a token: what a header can hold. */
export const TokenSchema = z.string().regex(/^[\x21-\x7e]{1,4096}$/);
export const ContextNameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

/** One Veren that the user knows: a laptop, or a stage on AWS. */
const ContextSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  token: TokenSchema.optional(),
  /** Read at every use in place of a token: that of a platform on this machine. */
  tokenFile: z.string().optional(),
});
export type Context = z.infer<typeof ContextSchema>;

const ContextsSchema = z.strictObject({
  v: z.literal(1),
  current: z.string().optional(),
  contexts: z.record(ContextNameSchema, ContextSchema),
});
export type Contexts = z.infer<typeof ContextsSchema>;

const fileIn = (folder: string) => join(folder, 'contexts.json');

/** What is known; without a file nothing. Throws CLI_FILE_INVALID, without the content, which has tokens. */
export async function readContexts(folder: string): Promise<Contexts> {
  const file = fileIn(folder);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { v: 1, contexts: {} };
    throw new VerenError('CLI_FILE_INVALID', { file, reason: (error as NodeJS.ErrnoException).code ?? 'unknown' });
  }
  try {
    return ContextsSchema.parse(JSON.parse(text));
  } catch {
    throw new VerenError('CLI_FILE_INVALID', { file, reason: 'it has not the form of a file of contexts' });
  }
}

/** Replaces the file as a whole, so that nobody reads half of it. Only the user may read it. */
export async function writeContexts(folder: string, contexts: Contexts): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.contexts-${process.pid}.json`);
  await rm(temporary, { force: true });
  try {
    await writeFile(temporary, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    // The mode of a new file is less what the umask takes away, never more; an unusual umask must not lock us out.
    await chmod(temporary, 0o600);
    await rename(temporary, fileIn(folder));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
