import { MAX_LOG_LINE } from '../../contract/events.ts';
import type { Masker } from './masker.ts';

const NEWLINE = 10;
const RETURN = 13;
const ESCAPE = 27;
/** What goes back to the beginning of a line, so that it is written anew: a carriage return, or a sequence that moves the cursor. */
const REWRITES = /(?:\r|\u001b\[(?:[01]?G|\d{3,4}D))+/g;
const TRAILING_REWRITES = new RegExp(`${REWRITES.source}$`);
/** As long as one of them, which two writes may share. */
const REWRITE_BYTES = 7;

/** Where the text begins that was written last; 0 where all of it was written once. What nothing follows rewrites nothing. */
function lastRewrite(text: string): number {
  let at = 0;
  for (const { index, 0: found } of text.matchAll(REWRITES))
    if (index + found.length < text.length) at = index + found.length;
  return at;
}

/** Each backspace takes back one character, as a terminal shows it. */
function withoutBackspaces(text: string): string {
  if (!text.includes('\b')) return text;
  const kept: string[] = [];
  for (const character of text)
    if (character === '\b') kept.pop();
    else kept.push(character);
  return kept.join('');
}

const CUT = ' … line cut';

/**
 * Colours stay (SGR sequences); everything else that could move a cursor, rename a window or hide text goes.
 * Source of the forms: ECMA-48 (CSI, OSC and the other string sequences, two-character escapes).
 */
export function removeControls(text: string): string {
  if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) return text;
  return text
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, (csi) => (/^\u001b\[[0-9;:]*m$/.test(csi) ? csi : ''))
    .replace(/\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
    .replace(/\u001b(?!\[[0-9;:]*m)[ -/]*[0-~]?/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** Cuts to `MAX_LOG_LINE` and says so, never through a pair of surrogates. */
function boundLine(line: string, cut: boolean): string {
  if (!cut && line.length <= MAX_LOG_LINE) return line;
  const end = Math.min(line.length, MAX_LOG_LINE - CUT.length);
  const whole = /[\ud800-\udbff]/.test(line[end - 1] ?? '') ? end - 1 : end;
  return line.slice(0, whole) + CUT;
}

/**
 * One line as it may be shown: harmless, masked, bounded. `cut`: there was more of it, so its end may be the beginning of
 * a secret and is left out.
 */
export function presentLine(mask: Masker, line: string, cut = false): string {
  const masked = mask(removeControls(line));
  return boundLine(cut ? masked.slice(0, Math.max(0, masked.length - mask.longest)) : masked, cut);
}

/**
 * Splits the output of a command into presentable lines. Memory stays bounded by the longest line that is sent, however
 * long a line is: the rest of it is passed over. Of a line that rewrites itself the last text counts: what it replaces is
 * forgotten as it comes, so a progress bar may run for as long as it likes.
 */
export class LineSplitter {
  readonly #mask: Masker;
  readonly #onLine: (line: string) => void;
  /** Beyond the cut, so that a secret or escape sequence across it is seen whole. Bytes: at most 4 per character. */
  readonly #keep: number;
  #parts: Buffer[] = [];
  #size = 0;
  #cut = false;
  /** The end of what was taken, where a rewriting sequence may have begun; else empty. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(mask: Masker, onLine: (line: string) => void) {
    this.#mask = mask;
    this.#onLine = onLine;
    this.#keep = 4 * (MAX_LOG_LINE + mask.longest);
  }

  write(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    if (start < chunk.length) this.#take(chunk.subarray(start));
  }

  /** The stream has ended: what is left is a line without its end. */
  end(): void {
    if (this.#size > 0) this.#emit();
  }

  #take(part: Buffer): void {
    if (part.length === 0) return;
    const seen = this.#tail.length > 0 ? Buffer.concat([this.#tail, part]) : part;
    if (!seen.includes(RETURN) && !seen.includes(ESCAPE)) {
      this.#keepPart(part);
      return;
    }
    const end = seen.subarray(-REWRITE_BYTES);
    // A copy: `part` is a view of a pooled chunk that would otherwise be kept alive as a whole.
    this.#tail = end.includes(RETURN) || end.includes(ESCAPE) ? Buffer.from(end) : Buffer.alloc(0);
    const from = lastRewrite(seen.toString('latin1'));
    if (from > 0) this.#forget();
    this.#keepPart(from > 0 ? seen.subarray(from) : part);
  }

  #keepPart(part: Buffer): void {
    const room = this.#keep - this.#size;
    if (part.length > room) this.#cut = true;
    if (room <= 0) return;
    const kept = Buffer.from(part.subarray(0, room)); // a copy, as above
    this.#parts.push(kept);
    this.#size += kept.length;
  }

  #forget(): void {
    this.#parts = [];
    this.#size = 0;
    this.#cut = false;
  }

  #emit(): void {
    const text = Buffer.concat(this.#parts).toString('utf8');
    const cut = this.#cut;
    this.#forget();
    this.#tail = Buffer.alloc(0);
    this.#onLine(presentLine(this.#mask, withoutBackspaces(text.replace(TRAILING_REWRITES, '')), cut));
  }
}
