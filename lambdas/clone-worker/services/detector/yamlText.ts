import { parse } from 'yaml';

/** The parser's time can grow with the square of the length; up to here it stays below 0.2 s whatever the text. */
const MAX_LENGTH = 16 * 1024;
const MAX_NESTING = 32;

/**
 * A YAML mapping, of which a long file's top-level keys are cut down to those in `keys`; undefined where it is none.
 * Deep nesting is refused beforehand: 32 KiB of `[` end the process (the parser's pretty errors build a regular
 * expression of that size). Aliases are bounded.
 */
export function readYaml(source: string, keys: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const text = source.length > MAX_LENGTH ? pickSections(source, keys) : source;
  if (text.length > MAX_LENGTH || measureNesting(text) > MAX_NESTING) return undefined;
  try {
    const value: unknown = parse(text, {
      maxAliasCount: 20,
      logLevel: 'silent',
      uniqueKeys: false,
      prettyErrors: false,
    });
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The lines of these top-level keys; of the others only the key, so that it is still seen to be there. */
function pickSections(source: string, keys: readonly string[]): string {
  const lines: string[] = [];
  let wanted = false;
  for (const line of source.split('\n')) {
    const key = /^["']?([\w-]{1,64})["']?:/.exec(line)?.[1];
    if (key !== undefined) wanted = keys.includes(key);
    if (wanted) lines.push(line);
    else if (key !== undefined) lines.push(`${key}:`);
  }
  return lines.join('\n');
}

/** At least as deep as the text is nested: brackets that are open, and markers on one line. Comments do not count. */
function measureNesting(source: string): number {
  let [open, deepest] = [0, 0];
  for (const line of source.split('\n')) {
    let markers = 0;
    for (const [mark] of line.replace(/(?:^|\s)#.*$/, '').matchAll(/[[{\]}]|[-?:](?=\s)/g)) {
      if (mark === '[' || mark === '{') open += 1;
      else if (mark === ']' || mark === '}') open = Math.max(0, open - 1);
      else markers += 1;
      deepest = Math.max(deepest, open + markers);
    }
  }
  return deepest;
}
