import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { signalGroup } from './command.ts';
import { PhaseFault } from './fault.ts';
import { LineSplitter } from './lines.ts';
import type { Masker } from './masker.ts';
import type { Reporter } from './reporter.ts';

export interface FetchInput {
  readonly work: string;
  readonly fetchPid: number;
  /** When main.sh began it (ms). */
  readonly startedAt: number;
  readonly commit: string;
  readonly mask: Masker;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

const seconds = (text: string | undefined) => Math.round(Number((text ?? '').replace(',', '.')) * 1_000);

/** Start, end and exit code of main.sh's fetch; null where it ended without writing them down. */
function record(work: string): { startedAt: number; finishedAt: number; exitCode: number } | null {
  try {
    const [started, finished, code] = readFileSync(join(work, 'control/fetch'), 'utf8').trim().split(' ');
    return { startedAt: seconds(started), finishedAt: seconds(finished), exitCode: Number(code) };
  } catch {
    return null;
  }
}

/** Reports the fetch that main.sh does meanwhile: its lines as they come, its real times, its end. Throws `PhaseFault`. */
export async function fetched(input: FetchInput): Promise<void> {
  const { reporter, signal, fetchPid } = input;
  reporter.phaseStarted('fetch', input.startedAt);
  reporter.say(`Fetching commit ${input.commit}`);
  const splitter = new LineSplitter(input.mask, (line) => reporter.presented('stdout', line));
  const stop = () => signalGroup(fetchPid, 'SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  for await (const chunk of createReadStream('', { fd: 4 })) {
    splitter.write(chunk as Buffer);
    await reporter.room();
  }
  splitter.end();
  signal.removeEventListener('abort', stop);
  signalGroup(fetchPid, 'SIGKILL');
  const end = record(input.work);
  const ok = end?.exitCode === 0 && !signal.aborted;
  reporter.phaseFinished('fetch', ok, end?.finishedAt ?? input.now());
  signal.throwIfAborted();
  if (!ok) {
    const exitCode = end?.exitCode ?? 137;
    throw new PhaseFault(new VerenError('FETCH_FAILED', { exitCode }), exitCode, reporter.lastLines);
  }
}
