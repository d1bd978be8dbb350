import { LineSplitter, presentLine } from '../../../shared/lines.ts';
import type { Masker } from '../../../shared/masker.ts';
import type { Reporter } from '../../../shared/reporter.ts';
import type { Engine } from '../engine.ts';
import { parseOwnLine } from './output.ts';

const KEPT_ERRORS = 20;
const MAX_STEP = 300;

/** What was heard of a build when it has ended. */
export interface Heard {
  /** The last instruction that was named; null where none was. */
  readonly step: string | null;
  readonly errors: readonly string[];
}

/** Turns what a container builder writes, hostile as it may be, into lines of the deployment's log. */
export class OutputFollower {
  readonly #splitters: Readonly<Record<'stdout' | 'stderr', LineSplitter>>;
  readonly #reporter: Reporter;
  readonly #mask: Masker;
  readonly #errors: string[] = [];
  #step: string | null = null;

  constructor(engine: Engine['kind'], reporter: Reporter, mask: Masker) {
    this.#reporter = reporter;
    this.#mask = mask;
    const splitterOf = (stream: 'stdout' | 'stderr') =>
      new LineSplitter(mask, (line) => {
        const said = parseOwnLine(engine, line, stream);
        if (said.kind === 'output') reporter.presented(stream, said.line);
        else if (said.kind === 'instruction') this.#enter(said.text);
        else if (said.kind === 'error' && this.#errors.push(said.message) > KEPT_ERRORS) this.#errors.shift();
      });
    this.#splitters = { stdout: splitterOf('stdout'), stderr: splitterOf('stderr') };
  }

  /** Resolves when more may come. */
  async write(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<void> {
    this.#splitters[stream].write(chunk);
    await this.#reporter.room();
  }

  end(): Heard {
    this.#splitters.stdout.end();
    this.#splitters.stderr.end();
    return { step: this.#step, errors: this.#errors };
  }

  #enter(text: string): void {
    const step = text.length > MAX_STEP ? `${text.slice(0, MAX_STEP)}…` : text;
    if (step === this.#step) return;
    this.#step = step;
    // As the log's own line count would have it, of which a build that prints instructions has no more than others.
    // Masked again, since Kaniko writes some characters as numbers.
    this.#reporter.presented('stdout', presentLine(this.#mask, `$ ${step}`));
  }
}
