import { SECRET_KINDS, type SecretKind } from './kinds.ts';

/** Where a secret was found. The secret itself is not kept. */
export interface Find {
  readonly kind: SecretKind;
  /** From 1. */
  readonly line: number;
}

/** Longer than what any pattern looks at from where it begins, and what it looks at before that. */
export const LOOK_AHEAD = 4_096;
const LOOK_BEHIND = 128;
/** A file with so many finds is a list of them; the rest says nothing new, and each may cost a pattern's time. */
const MAX_FINDS = 50;
/** Of each kind so many are kept all the same: fifty harmless ones must not hide a key behind them. */
const FINDS_OF_KIND = 5;

/** Starts by a hash of their first three characters. A regular expression of all of them takes ten times as long. */
interface Start {
  readonly text: string;
  readonly kinds: readonly SecretKind[];
}
const HASHES = 1 << 16;
const hash = (a: number, b: number, c: number) => ((a << 9) ^ (b << 5) ^ c) & (HASHES - 1);
const BUCKETS: Start[][] = [[]];
/** Number of the bucket of a hash; 0: nothing begins so. */
const BUCKET_OF = new Uint16Array(HASHES);

function addStart(start: Start): void {
  const [a, b] = [start.text.charCodeAt(0), start.text.charCodeAt(1)];
  // Of a start of two characters any third one will do.
  const thirds = start.text.length > 2 ? [start.text.charCodeAt(2)] : Array.from({ length: 128 }, (_, code) => code);
  for (const c of thirds) {
    const at = hash(a, b, c);
    BUCKET_OF[at] ||= BUCKETS.push([]) - 1;
    BUCKETS[BUCKET_OF[at]!]!.push(start);
  }
}

const starts = new Map<string, SecretKind[]>();
for (const kind of SECRET_KINDS) for (const text of kind.starts) starts.set(text, [...(starts.get(text) ?? []), kind]);
for (const [text, kinds] of starts) addStart({ text, kinds });

/** `xxxxxxxx`, `0000`, `your-token-here`: what manuals print. */
function isMadeUp(secret: string): boolean {
  return (
    new Set(secret).size <= 4 || /example|xxxxx|placeholder|redacted|your[_-]?(?:key|token|secret|api)/i.test(secret)
  );
}

function matches(kind: SecretKind, text: string, at: number): boolean {
  kind.pattern.lastIndex = at;
  const found = kind.pattern.exec(text);
  if (found === null) return false;
  const secret = found.slice(1).find((group) => group !== undefined);
  if (secret !== undefined && isMadeUp(secret)) return false;
  return kind.accepts?.(found[0], text.slice(Math.max(0, at - LOOK_BEHIND), at)) ?? true;
}

/**
 * Finds secrets in a text that comes in parts. Time is in proportion to the text: each place is looked at once for a start,
 * and a pattern is tried at a start only. Memory is that of one part and `LOOK_AHEAD`.
 */
export class SecretFinder {
  #rest = '';
  /** Where in `#rest` the search goes on; before it is only what patterns look back at. */
  #from = 0;
  #line = 1;
  readonly #finds: Find[] = [];
  readonly #ofKind = new Map<SecretKind, number>();

  get finds(): readonly Find[] {
    return this.#finds;
  }

  write(part: string): void {
    this.#search(this.#rest + part, false);
  }

  end(): readonly Find[] {
    this.#search(this.#rest, true);
    return this.#finds;
  }

  #isWanted(kind: SecretKind): boolean {
    return this.#finds.length < MAX_FINDS || (this.#ofKind.get(kind) ?? 0) < FINDS_OF_KIND;
  }

  #keep(find: Find): void {
    this.#finds.push(find);
    this.#ofKind.set(find.kind, (this.#ofKind.get(find.kind) ?? 0) + 1);
  }

  #search(text: string, last: boolean): void {
    const until = last ? text.length : text.length - LOOK_AHEAD;
    if (until <= this.#from) {
      this.#rest = text;
      return;
    }
    let counted = this.#from;
    const lineAt = (at: number) => {
      this.#line += newlines(text, counted, at);
      counted = at;
      return this.#line;
    };
    let [a, b] = [text.charCodeAt(this.#from), text.charCodeAt(this.#from + 1)];
    for (let index = this.#from; index < until; index++) {
      const c = text.charCodeAt(index + 2);
      const bucket = BUCKET_OF[hash(a, b, c)]!;
      if (bucket !== 0)
        for (const start of BUCKETS[bucket]!)
          if (text.startsWith(start.text, index))
            for (const kind of start.kinds)
              if (this.#isWanted(kind) && matches(kind, text, index)) this.#keep({ kind, line: lineAt(index) });
      a = b;
      b = c;
    }
    lineAt(until);
    const keep = Math.max(0, until - LOOK_BEHIND);
    this.#rest = text.slice(keep);
    this.#from = until - keep;
  }
}

function newlines(text: string, from: number, until: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < until; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
