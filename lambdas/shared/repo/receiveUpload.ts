import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { VerenError } from '../../../contract/errors.ts';
import { lastWords } from './gitErrors.ts';
import { collectOutput, type GitFolder, killGroup, onAbort, type RunLimits, startGit, waitForClose } from './runGit.ts';

/** An uploaded folder, as the platform has packed it. */
export interface UploadedPack {
  readonly url: string;
  readonly commit: string;
}

/** Puts the pack of an upload into the folder's repository. Throws GIT_FAILED, GIT_TIMEOUT by the caller's limits. */
export async function receiveUpload(folder: GitFolder, { url }: UploadedPack, limits: RunLimits): Promise<void> {
  const answer = await fetch(url, { signal: limits.signal ?? limits.deadline, redirect: 'error' });
  if (!answer.ok || !answer.body) throw failed(`the storage answered ${answer.status}`);
  const git = startGit(folder, ['index-pack', '--stdin', '--strict', '--threads=1']);
  const unwatch = onAbort(limits, () => killGroup(git));
  git.stdout.resume();
  const said = collectOutput(git.stderr, () => killGroup(git));
  try {
    const ended = waitForClose(git);
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), git.stdin).catch(() => undefined);
    const code = await ended;
    limits.deadline.throwIfAborted();
    if (code !== 0) throw failed(lastWords(said(), undefined) || 'git could not read it');
  } finally {
    killGroup(git);
    unwatch();
  }
}

const failed = (reason: string) => new VerenError('GIT_FAILED', { url: 'the uploaded folder', reason });
