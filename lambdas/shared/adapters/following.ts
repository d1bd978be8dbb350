import type { LogLine } from '../../../contract/events.ts';

/** Lines that a follower gets at once: what a slow reader costs in memory. */
const PAGE = 500;

/** Tells the followers of a deployment that there may be something new. */
export class Bells {
  readonly #bells = new Map<string, Set<Bell>>();

  /** A bell that rings for one deployment, until `leave`. */
  join(deploymentId: string): Bell {
    const bell = new Bell();
    this.#bells.set(deploymentId, (this.#bells.get(deploymentId) ?? new Set()).add(bell));
    return bell;
  }

  /** True where nobody is left to ring for. */
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

  /** Forgets the rings so far; to be called before a look, so that none is missed during it. True where one was a wake. */
  answer(): boolean {
    const woken = this.#woken;
    this.#rung = false;
    this.#woken = false;
    return woken;
  }

  /** Resolves at the next ring, at once where one was not answered, and when the signal aborts. */
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
 * Lines after `after` and those to come, read page by page at the reader's pace: nothing is buffered for who does not ask.
 * `[]` after a wake that brought no lines.
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
