import type { Out } from './client/display.ts';

/** What the command has of the process that it runs in. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly cwd: string;
  readonly home: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly now: () => number;
  readonly interrupts: Interrupts;
}

export interface Stream extends Out {
  readonly isTTY: boolean;
  readonly color: boolean;
}

/**
 * What Ctrl-C does: whoever follows something ends it and says what goes on without it, everybody else just ends. The
 * second one ends the process whatever it does.
 */
export class Interrupts {
  #following: AbortController | undefined;

  /** The signal of Ctrl-C, until `work` has ended. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const following = new AbortController();
    this.#following = following;
    try {
      return await work(following.signal);
    } finally {
      this.#following = undefined;
    }
  }

  /** False where nobody follows anything, so that the process has to end. */
  interrupt(): boolean {
    const following = this.#following;
    this.#following = undefined;
    following?.abort(new InterruptedError());
    return following !== undefined;
  }
}

/** Ctrl-C, while something was followed that goes on without us. */
export class InterruptedError extends Error {
  override name = 'InterruptedError';
}

/** What is shorter is no secret, and would be found in every second word. */
const MIN_SECRET_LENGTH = 8;

/** Writes to a stream without what is secret: the token, should a server or an error repeat it. */
export class MaskedStream implements Stream {
  readonly #to: NodeJS.WriteStream;
  readonly #secrets: Set<string>;
  readonly color: boolean;

  constructor(to: NodeJS.WriteStream, secrets: Set<string>, color: boolean) {
    this.#to = to;
    this.#secrets = secrets;
    this.color = color;
  }

  get isTTY(): boolean {
    return this.#to.isTTY === true;
  }

  // Absent for a file, and 0 for a terminal that nobody has given a size.
  get columns(): number {
    return this.#to.columns || 80;
  }

  get rows(): number {
    return this.#to.rows || 24;
  }

  write(text: string): boolean {
    let safe = text;
    for (const secret of this.#secrets)
      if (secret.length >= MIN_SECRET_LENGTH) safe = safe.replaceAll(secret, '[token]');
    return this.#to.write(safe);
  }
}

/** Lines for whoever reads along: what happens, what to do next. */
export function tellUser({ stderr }: Pick<Shell, 'stderr'>, ...lines: readonly string[]): void {
  stderr.write(lines.map((line) => `${line}\n`).join(''));
}

/** Lines that are the result of the command: what a script reads. */
export function printResult({ stdout }: Pick<Shell, 'stdout'>, ...lines: readonly string[]): void {
  if (lines.length > 0) stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** What steers a terminal, or reorders text, and JSON leaves as it is: C1 controls (ECMA-48), bidi controls (Unicode UAX 9). */
const STEERING = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** JSON for a terminal too: the same value, with escapes for what steers one. */
export const terminalJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The result as JSON: what the API has answered, for programs. */
export const printJson = (shell: Pick<Shell, 'stdout'>, value: unknown): void =>
  printResult(shell, terminalJson(value, 2));
