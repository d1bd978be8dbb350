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
