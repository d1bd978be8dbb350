import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { PhaseFault } from './fault.ts';
import { spellingsOf } from './masker.ts';
import { programPath, SYSTEM_PATH } from './programs.ts';
import type { Sandbox } from './sandbox.ts';

/** Longer values are recognised by their beginning. */
const MAX_PATTERN = 200;
const MAX_OUTPUT = 8 * 1_024 * 1_024;
const SHOWN = 10;

/** What to look for: every form in which tools write these values. One a line, as grep reads them. */
export const leftPatterns = (values: readonly string[]): string =>
  [...new Set(values.flatMap(spellingsOf))]
    .filter((spelling) => !/[\r\n]/.test(spelling))
    .map((spelling) => `${spelling.slice(0, MAX_PATTERN)}\n`)
    .join('');

export interface LeftSecretsInput {
  /** Values that the installation alone may see. */
  readonly values: readonly string[];
  readonly work: string;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * What an installation must not leave to the build, to a cache or to the site: files that hold a secret of its own.
 * Files of the home folder and of package managers' caches are removed; among the sources and packages, where a build
 * could miss them, they end it. This finds mistakes; code of a package that hides a secret is not found.
 * Throws `PhaseFault(INSTALL_LEFT_SECRET)`.
 */
export async function clearLeftSecrets({ values, work, sandbox, signal, say }: LeftSecretsInput): Promise<void> {
  const patterns = leftPatterns(values);
  if (patterns === '') return;
  const folders = ['home', 'tmp', 'cache', 'tools', 'source'].map((name) => join(work, name));
  const run = (script: string, args: readonly string[], input: Buffer) =>
    runScript({ script, args, input, sandbox, signal });
  const grep = 'exec grep -rlsF --null -D skip -f - -- "$@"';
  const found = splitNames(await run(grep, folders, Buffer.from(patterns)));
  const isSpare = (file: string) => folders.slice(0, 3).some((folder) => file.startsWith(`${folder}/`));
  const spare = found.filter(isSpare);
  const kept = found.filter((file) => !isSpare(file)).map((file) => nameOf(file).slice(work.length + 1));
  if (spare.length > 0) {
    await run('exec xargs -0 rm -f --', [], Buffer.from(spare.map((file) => `${file}\0`).join(''), 'latin1'));
    say(`Removed ${spare.length} files outside of the sources that held variables of the installation alone.`);
  }
  if (kept.length === 0) return;
  const files = kept.slice(0, SHOWN).map((name) => name.replace(/^source\//, ''));
  const error = new VerenError('INSTALL_LEFT_SECRET', { files: files.join(', ') });
  throw new PhaseFault(error, undefined, []);
}

/** Names of files need not be UTF-8, so they are kept byte by byte. */
const splitNames = (output: Buffer) =>
  output
    .toString('latin1')
    .split('\0')
    .filter((name) => name !== '');
const nameOf = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');

interface Script extends Pick<LeftSecretsInput, 'sandbox' | 'signal'> {
  readonly script: string;
  readonly args: readonly string[];
  readonly input: Buffer;
}

/** As the build's user, since the folders are that user's. The secrets come by standard input alone. */
async function runScript({ script, args, input, sandbox, signal }: Script): Promise<Buffer> {
  const running = sandbox.start({
    argv: [programPath('sh'), '-c', script, 'sh', ...args],
    cwd: '/',
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
    hasInput: true,
    signal,
  });
  running.input?.end(input);
  running.stderr.resume();
  const chunks: Buffer[] = [];
  let bytes = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT) chunks.push(chunk);
  });
  await Promise.all([running.ended, new Promise((resolve) => running.stdout.on('close', resolve))]);
  signal.throwIfAborted();
  return Buffer.concat(chunks);
}
