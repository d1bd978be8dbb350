/** Where a line belongs among those of the same moment: what begins comes before what is said of it, and its end after. */
export type Rank = 'begin' | 'line' | 'end';
const RANKS: readonly Rank[] = ['begin', 'line', 'end'];

interface Entry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly rank: Rank;
  readonly arrived: number;
  readonly text: string;
}

/** Log lines and changes of a record come by different ways; one that is later than the other by more stays where it is. */
const HOLD_MS = 1_000;

/**
 * Brings lines of two sources into the order in which they happened, as far as they arrive within a second of each other.
 * What comes from one source stays in its order, whatever its times say.
 */
export class OrderedLines {
  readonly #waiting: Entry[] = [];
  readonly #latest = { line: Number.NEGATIVE_INFINITY, change: Number.NEGATIVE_INFINITY };

  /** @param at ISO time; one that is none counts as that of what came before. @param arrived Milliseconds of any clock. */
  add(at: string, rank: Rank, text: string, arrived: number): void {
    const source = rank === 'line' ? 'line' : 'change';
    const time = Date.parse(at);
    const known = Number.isNaN(time) ? Math.max(this.#latest.line, this.#latest.change) : time;
    this.#latest[source] = Math.max(this.#latest[source], known);
    const entry = { at: this.#latest[source], rank, arrived, text };
    const after = this.#waiting.findLastIndex((other) => compare(other, entry) <= 0);
    this.#waiting.splice(after + 1, 0, entry);
  }

  /** What has waited long enough, and all that happened before it. */
  take(now: number): string[] {
    const last = this.#waiting.findLastIndex(({ arrived }) => now - arrived >= HOLD_MS);
    return this.#waiting.splice(0, last + 1).map(({ text }) => text);
  }

  takeAll(): string[] {
    return this.take(Number.POSITIVE_INFINITY);
  }
}

/** Of one source nothing is moved: equal times and ranks keep the order in which they came. */
function compare(a: Entry, b: Entry): number {
  if (a.at !== b.at) return a.at - b.at;
  // Only between the sources: "install begins" may follow "fetch done" at the same moment.
  if ((a.rank === 'line') === (b.rank === 'line')) return 0;
  return RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank);
}
