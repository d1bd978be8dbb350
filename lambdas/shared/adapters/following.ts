import type { LogLine } from '../../../contract/events.ts';

/** Lines that a follower gets at once, which is the memory that a slow reader costs. */
const PAGE = 500;

/** Wakes the followers of a deployment when there may be new lines. */
export class Bells {
  readonly #bells = new Map<string, Set<Bell>>();

  /** A bell that rings when a deployment has new lines or a new record, until `leave`. */
  join(deploymentId: string): Bell {
    const bell = new Bell();
    this.#bells.set(deploymentId, (this.#bells.get(deploymentId) ?? new Set()).add(bell));
    return bell;
  }

  /** True where no follower is left. */
  leave(deploymentId: string, bell: Bell): boolean {
    const bells = this.#bells.get(deploymentId);
    bells?.delete(bell);
    if (bells?.size === 0) this.#bells.delete(deploymentId);
    return !this.#bells.has(deploymentId);
  }

  /** `wake`: let followers yield even where there are no lines. */
  ring(deploymentId: string, wake: boolean): void {
    for (const bell of this.#bells.get(deploymentId) ?? []) bell.ring(wake);
  }

  ringAll(wake: boolean): void {
    for (const deploymentId of this.#bells.keys()) this.ring(deploymentId, wake);
  }
}

export class Bell {
  #rung = false;
  #woken = false;
  #listener: (() => void) | null = null;

  ring(wake: boolean): void {
    this.#rung = true;
    this.#woken ||= wake;
    this.#listener?.();
  }

  /**
   * Forgets earlier rings. Call it before reading, so that no ring during the read is missed. True where one was a
   * wake.
   */
  answer(): boolean {
    const woken = this.#woken;
    this.#rung = false;
    this.#woken = false;
    return woken;
  }

  /** Resolves at the next ring, at once where a ring was not forgotten yet, and when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#listener = () => {
        signal.removeEventListener('abort', this.#listener!);
        this.#listener = null;
        resolve();
      };
      signal.addEventListener('abort', this.#listener);
    });
  }
}

/**
 * Existing and later lines after `after`, read page by page at the reader's pace, so that nothing is buffered for a
 * slow one. `[]` after a wake that brought no lines.
 */
export async function* followLines(
  read: (after: number, limit: number) => Promise<LogLine[]>,
  after: number,
  bell: Bell,
  signal: AbortSignal,
): AsyncIterable<LogLine[]> {
  let seen = after;
  while (!signal.aborted) {
    const woken = bell.answer();
    const lines = await read(seen, PAGE);
    if (signal.aborted) return;
    const last = lines.at(-1);
    if (last) {
      seen = last.seq;
      yield lines;
    } else if (woken) {
      yield [];
    } else {
      await bell.wait(signal);
    }
  }
}
