import type { Phase } from '../../../contract/record.ts';
import type { Deadline } from '../../shared/deadline.ts';
import type { Reporter } from '../../shared/reporter.ts';

/** The three phases after the fetch, one after the other: entering one ends the one before. */
export class Phases {
  readonly #reporter: Reporter;
  readonly #deadline: Deadline;
  #current: Phase | null = null;

  constructor(reporter: Reporter, deadline: Deadline) {
    this.#reporter = reporter;
    this.#deadline = deadline;
  }

  enter(phase: Exclude<Phase, 'fetch'>): void {
    if (phase === this.#current) return;
    this.end(true);
    this.#current = phase;
    this.#deadline.phase = phase;
    this.#reporter.phaseStarted(phase);
  }

  end(ok: boolean): void {
    if (this.#current !== null) this.#reporter.phaseFinished(this.#current, ok);
    this.#current = null;
  }
}
