import type { Colors } from 'picocolors/types';
import { terminalText } from '../client/terminalText.ts';

/**
 * Rows in columns, the first row dimmed as heading. Cells come from a server: what could steer the terminal is taken out.
 * Only the last column is not filled up, so that nothing wraps that need not.
 */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string[] {
  const clean = rows.map((row) => row.map((cell) => terminalText(cell, false).replaceAll('\t', ' ')));
  const widths = heading.map((name, i) => Math.max(name.length, ...clean.map((row) => row[i]?.length ?? 0)));
  const join = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === heading.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [colors.dim(join(heading)), ...clean.map(join)];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** How long ago: `3 h ago`. Clocks of two machines may differ: never in the future. */
export function formatAge(iso: string, now: number): string {
  const ago = Math.max(0, now - Date.parse(iso));
  const [unit, size] = UNITS.find(([, size]) => ago >= size) ?? UNITS[3];
  return `${Math.floor(ago / size)} ${unit} ago`;
}
