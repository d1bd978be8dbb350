import { parse } from 'smol-toml';

/** The parser needs less than 0.1 s for any text of this length, whatever it nests. */
export const MAX_TOML = 32 * 1024;
const MAX_DEPTH = 32;

/** A TOML document of at most `MAX_TOML` characters. Throws an Error where it is none. */
export const parseToml = (text: string): Readonly<Record<string, unknown>> =>
  parse(text.replace(/^\ufeff/, ''), { maxDepth: MAX_DEPTH });

/**
 * A TOML document; of a longer one its top-level keys alone, which stand before the first table. Undefined where it is
 * none.
 */
export function readToml(source: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseToml(source.length > MAX_TOML ? topLevelLines(source.slice(0, MAX_TOML)) : source);
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
