import type { Writable } from 'node:stream';

/** The part of a terminal or file that the display needs. */
export type Out = Pick<Writable, 'write'> & { readonly columns?: number; readonly rows?: number };

/**
 * Lines that scroll, and on a terminal a block below them that is redrawn in place. One write per frame, so that
 * nothing flickers. The cursor is never hidden, so that nothing has to be restored when the process is killed.
 */
export class Display {
  readonly #out: Out;
  readonly #live: boolean;
  #height = 0;
  #pending: string[] = [];

  constructor(out: Out, live: boolean) {
    this.#out = out;
    this.#live = live;
  }

  get columns(): number {
    return this.#out.columns ?? 80;
  }

  /** On a terminal shown with the next frame: a build that prints much does not draw the block for every line. */
  print(lines: readonly string[]): void {
    if (this.#live) this.#pending.push(...lines);
    else if (lines.length > 0) this.#out.write(joinLines(lines));
  }

  frame(block: readonly string[]): void {
    if (!this.#live) return;
    const rows = block.slice(0, Math.max(1, (this.#out.rows ?? 24) - 1));
    const erase = this.#height > 0 ? `\u001b[${this.#height}A\u001b[J` : '';
    this.#out.write(erase + joinLines(this.#pending) + joinLines(rows));
    this.#height = rows.length;
    this.#pending = [];
  }

  /** Takes the block away and leaves the lines. */
  close(): void {
    this.frame([]);
  }
}

const joinLines = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
