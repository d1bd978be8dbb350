/** What a failure carries of its command's output: enough to see why, little enough for a record. */
const MAX_LINES = 30;
const MAX_LENGTH = 1_000;
/** Around the first error of each kind. The reason of a tool follows its first line, what it is about may stand before. */
const BEFORE = 2;
const AFTER = 9;
const GAP = '…';

/**
 * How tools begin to tell why they give up, before they print their options, advice or a stack. Looked for at the beginning of
 * a line, colours taken off.
 */
const OF_TOOLS: readonly RegExp[] = [
  /^npm (?:error|ERR!)/, // npm; node-gyp's own lines come after the same words
  /^(?:gyp|node-pre-gyp) ERR!/,
  /^\s*\[?ERR_PNPM_/,
  /^error (?!\d)\S.*/, // Yarn 1
  /^➤ YN(?:0001|0009|0016|0018|0020|0022|0027|0028|0035|0041|0047|0050|0078|0080|0082): /, // Yarn 2+, those that end it
  /^error: /, // bun, esbuild's command line, git
  /JavaScript heap out of memory/,
];
/** How compilers, bundlers, shells and programs say that something went wrong. */
const OF_PROGRAMS: readonly RegExp[] = [
  /^(?:\S+: )?(?:\d+: )?\S+: (?:command )?not found$/, // sh, bash
  /(?:^|\s)error TS\d+: /,
  /^✘ \[ERROR\]/,
  /^(?:ERROR|Error)(?: in |: |!$|\b.*:$)/,
  /^(?:error|\[vite[^\]]*\]).*(?:during build|[Bb]uild failed|Rollup failed)/,
  /^✗ Build failed/,
  /^(?:Failed to compile|Build failed|Type error: |Module not found)/,
  /^(?:Uncaught )?[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?: /,
  /^\s+\d+:\d+\s+error\s/, // ESLint
  /^FATAL ERROR: /,
  /^(?:\S+\.\w+):\d+(?::\d+)?: (?:fatal )?error: /, // C compilers
  /^Traceback \(most recent call last\)/,
];

interface Numbered {
  readonly n: number;
  readonly line: string;
}

/** The lines around the first match of one kind. */
class Excerpt {
  readonly #patterns: readonly RegExp[];
  readonly lines: Numbered[] = [];
  #left = 0;

  constructor(patterns: readonly RegExp[]) {
    this.#patterns = patterns;
  }

  add(plain: string, numbered: Numbered, before: readonly Numbered[]): void {
    if (this.lines.length === 0) {
      if (!this.#patterns.some((pattern) => pattern.test(plain))) return;
      this.lines.push(...before.slice(-BEFORE), numbered);
      this.#left = AFTER;
    } else if (this.#left > 0) {
      this.lines.push(numbered);
      this.#left--;
    }
  }
}

/**
 * Keeps of a phase's output what says why it failed: the lines around the first error of a tool's, those around the first of
 * a program that it ran, and the end. Many tools print so much after the reason that the end alone does not hold it.
 */
export class FailureLines {
  readonly #excerpts = [new Excerpt(OF_TOOLS), new Excerpt(OF_PROGRAMS)];
  #end: Numbered[] = [];
  #count = 0;

  add(line: string): void {
    const numbered = { n: this.#count++, line: line.slice(0, MAX_LENGTH) };
    const plain = numbered.line.replace(/\u001b\[[0-9;:]*m/g, '');
    for (const excerpt of this.#excerpts) excerpt.add(plain, numbered, this.#end);
    this.#end.push(numbered);
    if (this.#end.length > 4 * MAX_LINES) this.#end = this.#end.slice(-MAX_LINES);
  }

  /** At most `MAX_LINES`, oldest first; a line of its own says where lines were left out. */
  get selected(): string[] {
    if (this.#count <= MAX_LINES) return this.#end.slice(-MAX_LINES).map(({ line }) => line);
    const chosen = new Map(this.#excerpts.flatMap(({ lines }) => lines.map(({ n, line }) => [n, line] as const)));
    // Gaps are lines too: one after each excerpt at most.
    const room = MAX_LINES - chosen.size - this.#excerpts.length;
    for (const { n, line } of this.#end.slice(-room)) chosen.set(n, line);
    const sorted = [...chosen].sort(([a], [b]) => a - b);
    return sorted.flatMap(([n, line], i) => (i > 0 && sorted[i - 1]![0] !== n - 1 ? [GAP, line] : [line]));
  }
}
