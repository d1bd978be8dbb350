/**
 * Configuration written as a program (`next.config.ts`) or as JSON with comments, read without running it.
 * All functions here take time linear in the text: it comes from strangers.
 */

/** The text without comments; strings and template literals are kept as they are. */
export function withoutComments(source: string): string {
  let out = '';
  for (let i = 0; i < source.length; ) {
    const c = source[i]!;
    if (c === '/' && source[i + 1] === '/') {
      const end = source.indexOf('\n', i);
      i = end < 0 ? source.length : end;
    } else if (c === '/' && source[i + 1] === '*') {
      const end = source.indexOf('*/', i + 2);
      i = end < 0 ? source.length : end + 2;
      out += ' ';
    } else if (c === '"' || c === "'" || c === '`') {
      const end = endOfString(source, i);
      out += source.slice(i, end);
      i = end;
    } else {
      out += c;
      i += 1;
    }
  }
  return out;
}

/** Index after the closing quote; a plain string ends with its line at the latest. */
function endOfString(source: string, start: number): number {
  const quote = source[start];
  for (let i = start + 1; i < source.length; i++) {
    const c = source[i];
    if (c === '\\') i += 1;
    else if (c === quote) return i + 1;
    else if (c === '\n' && quote !== '`') return i;
  }
  return source.length;
}

/** JSON with comments and trailing commas, as Angular, Nx and TypeScript write it. Undefined where it is not even that. */
export function parseJsonc(source: string): unknown {
  const plain = withoutComments(source.replace(/^\ufeff/, ''));
  try {
    return JSON.parse(plain);
  } catch {
    try {
      return JSON.parse(plain.replace(/,(\s{0,1000}[}\]])/g, '$1'));
    } catch {
      return undefined;
    }
  }
}
