import { VerenError } from '../../contract/errors.ts';
import type { Phase } from '../../contract/record.ts';

/** Ends a build early: by its time limit, or when the task is stopped. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** The phase of the build, named in the error of the time limit. */
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

  /** Ends the time limit. Signals are still handled, but no longer change the result. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Rejects after `ms`, or with `stop`, even where the work ignores its signal, since a task that goes on costs money. It
 * does not use `AbortSignal.any([stop, AbortSignal.timeout(ms)])`, whose timeout Node 18 and 20 garbage-collect before
 * it fires.
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
