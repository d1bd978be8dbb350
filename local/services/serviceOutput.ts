import { LineSplitter } from '../../builder-images/shared/lines.ts';
import type { Masker } from '../../builder-images/shared/masker.ts';
import type { RunningProgram } from '../../builder-images/shared/processes.ts';

const LAST_LINES = 30;
/** What a service may write in one second and have kept. */
const BUDGET = { bytes: 512 * 1_024, lines: 2_000 };
const SECOND_MS = 1_000;

export type ServiceStream = 'stdout' | 'stderr' | 'system';
export type OnLine = (stream: ServiceStream, line: string) => void;

/** Reads what a service writes: as lines without secrets, and no more than what is kept. */
export class ServiceOutput {
  readonly #program: RunningProgram;
  readonly #lastLines: string[] = [];

  constructor(program: RunningProgram, mask: Masker, onLine: OnLine) {
    this.#program = program;
    for (const stream of ['stdout', 'stderr'] as const) this.#read(stream, mask, onLine);
  }

  get lastLines(): readonly string[] {
    return [...this.#lastLines];
  }

  /** Resolves when both streams are closed. */
  end(): Promise<unknown> {
    const { stdout, stderr } = this.#program;
    return Promise.all(
      [stdout, stderr].map((stream) => (stream.closed ? undefined : new Promise((done) => stream.once('close', done)))),
    );
  }

  #read(stream: 'stdout' | 'stderr', mask: Masker, onLine: OnLine): void {
    const budget = new Budget((dropped) => onLine('system', `${dropped} lines or more were too many to be kept.`));
    const splitter = new LineSplitter(mask, (line) => {
      if (!budget.takeLine()) return;
      this.#lastLines.push(line);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      onLine(stream, line);
    });
    const source = this.#program[stream];
    source.on('data', (chunk: Buffer) => {
      if (budget.takeBytes(chunk.length)) splitter.write(chunk);
    });
    source.on('close', () => splitter.end());
    source.on('error', () => undefined);
  }
}

const SIGNALS: Readonly<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };

export const describeEnd = (exitCode: number): string =>
  SIGNALS[exitCode] ? `signal ${SIGNALS[exitCode]}` : `exit code ${exitCode}`;

/** So much in a second, and no more: what a service writes in a loop costs neither disk nor memory. */
class Budget {
  readonly #onDropped: (lines: number) => void;
  #since = Date.now();
  #bytes = 0;
  #lines = 0;
  #dropped = 0;

  constructor(onDropped: (lines: number) => void) {
    this.#onDropped = onDropped;
  }

  takeBytes(count: number): boolean {
    this.#turn();
    this.#bytes += count;
    if (this.#bytes <= BUDGET.bytes) return true;
    this.#dropped++;
    return false;
  }

  takeLine(): boolean {
    this.#turn();
    if (++this.#lines <= BUDGET.lines) return true;
    this.#dropped++;
    return false;
  }

  #turn(): void {
    const now = Date.now();
    if (now - this.#since < SECOND_MS) return;
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#since = now;
    this.#bytes = 0;
    this.#lines = 0;
    this.#dropped = 0;
  }
}
