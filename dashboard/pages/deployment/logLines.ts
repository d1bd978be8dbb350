import type { LogLine } from '../../../contract/events.ts';
import { stripAnsi } from './parseAnsi.ts';

/** Places in `lines` of those that hold the text, whatever its case and colours. Nothing for an empty text. */
export function findLines(lines: readonly LogLine[], query: string): number[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [];
  return lines.flatMap(({ line }, i) => (stripAnsi(line).toLowerCase().includes(wanted) ? [i] : []));
}

/** The log as a file for people: times, without colours; the part before each line where there are two. */
export function formatLog(lines: readonly LogLine[]): string {
  const parts = new Set(lines.map(({ target }) => target));
  return lines
    .map(({ at, target, line }) => `${at} ${parts.size > 1 ? `${target}: ` : ''}${stripAnsi(line)}\n`)
    .join('');
}

/** The line that an address's fragment names (`#L120`). */
export function lineOfFragment(fragment: string): number | null {
  const number = /^#L([1-9]\d{0,8})$/.exec(fragment)?.[1];
  return number === undefined ? null : Number(number);
}
