/** Longer than this without a turn, and others would notice. */
const STRETCH_MS = 15;

/** Lets long work be done beside other work: it takes turns, and ends where it is told to. */
export class Pace {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** True where it is time for `rest`. Cheap enough to be asked often. */
  get due(): boolean {
    return performance.now() - this.#since > STRETCH_MS;
  }

  /** Gives everybody else a turn. Throws where the work was stopped meanwhile. */
  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#signal.throwIfAborted();
    this.#since = performance.now();
  }
}
