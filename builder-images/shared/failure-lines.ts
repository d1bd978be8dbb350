/** How many lines of output a failure carries: enough to show the reason, and few enough for a record. */
const MAX_LINES = 30;
const MAX_LENGTH = 1_000;
/**
 * Lines around the first error of each kind: a tool's reason follows its first line, and its subject may stand before
 * it.
 */
const BEFORE = 2;
const AFTER = 9;
const GAP = '…';

/**
 * How tools begin the message about their failure, before options, advice or a stack. Matched at the beginning of a
 * line, without colours.
 */
const OF_TOOLS: readonly RegExp[] = [
  /^npm (?:error|ERR!)/, // npm; node-gyp's own lines come after the same words
  /^(?:gyp|node-pre-gyp) ERR!/,
  /^\s*\[?ERR_PNPM_/,
  /^error (?!\d)\S.*/, // Yarn 1
  /^➤ YN(?:0001|0009|0016|0018|0020|0022|0027|0028|0035|0041|0047|0050|0078|0080|0082): /, // Yarn 2+, codes that end it
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
 * Keeps the lines of a phase's output that show why it failed: around the first error of a tool, around the first error
 * of a program that it ran, and at the end. Many tools print so much after the reason that the end alone does not
 * contain it.
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
    // A gap takes a line too, at most one after each excerpt.
    const room = MAX_LINES - chosen.size - this.#excerpts.length;
    for (const { n, line } of this.#end.slice(-room)) chosen.set(n, line);
    const sorted = [...chosen].sort(([a], [b]) => a - b);
    return sorted.flatMap(([n, line], i) => (i > 0 && sorted[i - 1]![0] !== n - 1 ? [GAP, line] : [line]));
  }
}
