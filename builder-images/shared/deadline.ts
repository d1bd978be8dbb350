import { VerenError } from '../../contract/errors.ts';
import type { Phase } from '../../contract/record.ts';

/** What ends a build early: its time limit, or somebody who stops the task. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Where the build is: the time limit names it. */
  phase: Phase = 'fetch';

  constructor(seconds: number) {
    this.#timer = setTimeout(
      () => this.#controller.abort(new VerenError('BUILD_TIMEOUT', { phase: this.phase, seconds })),
      seconds * 1_000,
    );
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, this.#stop);
  }

  readonly #stop = () => this.#controller.abort(new VerenError('BUILD_STOPPED'));

  /** Aborted with the `VerenError` as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time limit counts no more; signals are still taken, and change nothing that is done. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Ends after `ms`, or with `stop`, even where the work does not listen to its signal: a task that lives on costs money. Not
 * `AbortSignal.any([stop, AbortSignal.timeout(ms)])`, of which Node 18 and 20 collect the timeout, which then never comes.
 */
export async function runWithin(
  ms: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    end.signal.addEventListener('abort', () => reject(end.signal.reason), { once: true });
  });
  const abortStopped = () => end.abort(new Error('the task was stopped'));
  const timer = setTimeout(() => end.abort(new Error(`it took longer than ${ms / 1_000} s`)), ms);
  stop.addEventListener('abort', abortStopped, { once: true });
  if (stop.aborted) abortStopped();
  try {
    await Promise.race([ended, work(end.signal)]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', abortStopped);
  }
}
