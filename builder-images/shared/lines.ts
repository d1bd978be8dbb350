import { MAX_LOG_LINE } from '../../contract/events.ts';
import type { Masker } from './masker.ts';

const NEWLINE = 10;
const RETURN = 13;
const ESCAPE = 27;
/**
 * Sequences that go back to the beginning of a line, so that it is rewritten: a carriage return, or a move of the
 * cursor.
 */
const REWRITES = /(?:\r|\u001b\[(?:[01]?G|\d{3,4}D))+/g;
const TRAILING_REWRITES = new RegExp(`${REWRITES.source}$`);
/** The length of the longest such sequence, which may be split over two writes. */
const REWRITE_BYTES = 7;

/**
 * Where the last text of a rewritten line begins; 0 where nothing was rewritten. A sequence at the end rewrites
 * nothing.
 */
function lastRewrite(text: string): number {
  let at = 0;
  for (const { index, 0: found } of text.matchAll(REWRITES))
    if (index + found.length < text.length) at = index + found.length;
  return at;
}

/** Each backspace removes one character, as in a terminal. */
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

/** Cuts to `MAX_LOG_LINE` with a note, and never between two surrogates. */
function boundLine(line: string, cut: boolean): string {
  if (!cut && line.length <= MAX_LOG_LINE) return line;
  const end = Math.min(line.length, MAX_LOG_LINE - CUT.length);
  const whole = /[\ud800-\udbff]/.test(line[end - 1] ?? '') ? end - 1 : end;
  return line.slice(0, whole) + CUT;
}

/**
 * Makes a line safe to show: without control sequences, masked, with a limited length. `cut`: the line was longer, so
 * its end may be the beginning of a secret and is left out.
 */
export function presentLine(mask: Masker, line: string, cut = false): string {
  const masked = mask(removeControls(line));
  return boundLine(cut ? masked.slice(0, Math.max(0, masked.length - mask.longest)) : masked, cut);
}

/**
 * Splits the output of a command into lines that are safe to show. Memory is bounded by the longest line that is sent;
 * the rest of a longer one is skipped. Of a line that rewrites itself only the last text counts, and earlier texts are
 * dropped at once, so that a progress bar of any length needs no more memory.
 */
export class LineSplitter {
  readonly #mask: Masker;
  readonly #onLine: (line: string) => void;
  /**
   * Bytes kept beyond the cut, so that a secret or escape sequence across it is seen completely; at most 4 per
   * character.
   */
  readonly #keep: number;
  #parts: Buffer[] = [];
  #size = 0;
  #cut = false;
  /** The end of the bytes so far, where a rewriting sequence may have begun; else empty. */
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
    // A copy, since `part` is a view that would keep the whole chunk in memory.
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
