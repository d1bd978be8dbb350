import { parse } from 'smol-toml';

/** The parser needs less than 0.1 s for any text of this length, whatever it nests. */
const MAX_LENGTH = 32 * 1024;
const MAX_DEPTH = 32;

/**
 * A TOML document; of a longer one its top-level keys alone, which stand before the first table. Undefined where it is
 * none.
 */
export function readToml(source: string): Readonly<Record<string, unknown>> | undefined {
  const plain = source.replace(/^\ufeff/, '');
  const text = plain.length > MAX_LENGTH ? topLevelLines(plain.slice(0, MAX_LENGTH)) : plain;
  try {
    return parse(text, { maxDepth: MAX_DEPTH });
  } catch {
    return undefined;
  }
}

/** The whole lines before the first table. */
function topLevelLines(text: string): string {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const table = /^[ \t]{0,20}\[/m.exec(whole);
  return table ? whole.slice(0, table.index) : whole;
}
