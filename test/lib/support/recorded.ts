import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Compares a text with the one in a file, as `toMatchSnapshot` does with its own files: `jest -u` writes it, and so does the
 * first run outside of CI.
 */
export function expectRecorded(file: string, text: string): void {
  // biome-ignore lint/suspicious/noExplicitAny: Jest's state has no public type
  const mode = (expect.getState() as any).snapshotState?._updateSnapshot as 'all' | 'new' | 'none' | undefined;
  if (mode === 'all' || (mode === 'new' && !existsSync(file))) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : `nothing: run jest -u to write ${file}`);
}

type Path = readonly string[];
const name = (path: Path) => path.join('.');
const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What is other, missing or new in `b`, a line each, in the order of their paths. */
export function differences(a: unknown, b: unknown, path: Path = []): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (a === undefined) return [`+ ${name(path)}: ${JSON.stringify(b)}`];
  if (b === undefined) return [`- ${name(path)}`];
  if (!isTree(a) || !isTree(b) || Array.isArray(a) !== Array.isArray(b))
    return [`~ ${name(path)}: ${JSON.stringify(a)} → ${JSON.stringify(b)}`];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], [...path, key]));
}
