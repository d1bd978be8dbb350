import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { asFault, PhaseFault } from './fault.ts';
import type { Fetching } from './fetch.ts';
import { LineSplitter } from './lines.ts';
import type { Masker } from './masker.ts';
import { signalGroup } from './processes.ts';
import type { Reporter } from './reporter.ts';

export interface FetchPhaseInput {
  readonly fetching: Fetching;
  readonly commit: string;
  /** The environment as it was handed over. */
  readonly raw: Readonly<Record<string, string>>;
  readonly mask: Masker;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /**
   * Resolves when no other work runs as the build user beside the fetch, since that would be ended together with it.
   */
  readonly beside: () => Promise<unknown>;
}

/** Ends a fetch that is no longer needed, with everything that it has started. */
export async function stopFetch({ program, sandbox }: Fetching): Promise<void> {
  if (program.pid !== undefined) signalGroup(program.pid, 'SIGKILL');
  await program.ended;
  await sandbox.killAll();
}

/**
 * Reports the running fetch: its lines as they come, its times, its end. When this resolves no process of the build
 * user is alive. Throws `PhaseFault`.
 */
export async function completeFetch(input: FetchPhaseInput): Promise<void> {
  const { reporter, signal, fetching } = input;
  const { program, work } = fetching;
  reporter.phaseStarted('fetch', fetching.startedAt);
  reporter.say(fetching.source ? 'Unpacking the uploaded folder' : `Fetching commit ${input.commit}`);
  const finished = program.ended.then(({ exitCode }) => ({ exitCode, at: input.now() }));
  const splitter = new LineSplitter(input.mask, (line) => reporter.presented('stdout', line));
  const stopFetching = () => void stopFetch(fetching).finally(() => program.stdout.destroy());
  signal.addEventListener('abort', stopFetching, { once: true });
  if (signal.aborted) stopFetching();
  void finished.then(() => program.pid !== undefined && signalGroup(program.pid, 'SIGKILL')); // ends processes that hold its output open
  try {
    for await (const chunk of program.stdout) {
      splitter.write(chunk as Buffer);
      await reporter.room();
    }
  } catch {
    // Destroyed: stopped.
  }
  splitter.end();
  const { exitCode, at: ended } = await finished;
  const unread = exitCode === 0 ? null : await fetching.source;
  if (unread) reporter.say(`The uploaded folder could not be read: ${input.mask(unread)}`);
  const failure = exitCode === 0 && !signal.aborted ? await completed(input) : null;
  const at = completes(input.raw) ? input.now() : ended;
  signal.removeEventListener('abort', stopFetching);
  const ok = exitCode === 0 && failure === null && !signal.aborted;
  if (ok) await Promise.race([input.beside().catch(() => undefined), abortOf(signal)]);
  await stopFetch(fetching);
  removeGitHome(work);
  reporter.phaseFinished('fetch', ok, at);
  signal.throwIfAborted();
  if (failure) throw failure;
  if (!ok) throw new PhaseFault(new VerenError('FETCH_FAILED', { exitCode }), exitCode, reporter.lastLines);
}

/** Whether anything is fetched besides the commit. */
const completes = (raw: FetchPhaseInput['raw']) => raw.GIT_SUBMODULES === '1' || raw.GIT_LFS === '1';

/** Fetches submodules and the files of Git LFS where the request wants them. @returns the fault if that failed */
async function completed(input: FetchPhaseInput): Promise<PhaseFault | null> {
  const { raw, reporter, signal, fetching } = input;
  if (!completes(raw)) return null;
  const { completeCheckout } = await import('./checkout/complete.ts');
  const splitter = new LineSplitter(input.mask, (line) => reporter.presented('stdout', line));
  try {
    await completeCheckout({
      raw,
      work: fetching.work,
      sandbox: fetching.sandbox,
      signal,
      say: (text) => reporter.say(text),
      hear: (chunk) => splitter.write(chunk),
    });
    return null;
  } catch (error) {
    splitter.end();
    const fault = asFault(error, (reason) => new VerenError('BUILDER_MISCONFIGURED', { reason: input.mask(reason) }));
    return new PhaseFault(fault.error, undefined, reporter.lastLines);
  }
}

const abortOf = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** The folder is empty by now; root never empties a folder that belongs to the build. */
function removeGitHome(work: string): void {
  try {
    rmdirSync(join(work, 'git'));
  } catch {
    // Something of git's own is left in it, which holds no secret.
  }
}
