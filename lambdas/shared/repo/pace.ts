/** The longest time (ms) that other work may have to wait. */
const STRETCH_MS = 15;

/** Lets long work run beside other work: it pauses regularly, and ends when it is stopped. */
export class Pace {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** True where it is time for `rest`. Cheap enough to be called often. */
  get due(): boolean {
    return performance.now() - this.#since > STRETCH_MS;
  }

  /** Lets other work run. Throws where the work was stopped meanwhile. */
  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#signal.throwIfAborted();
    this.#since = performance.now();
  }
}
