/** What is wrong with a line, counted from 1. */
export interface DotenvFault {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads what `.env` files hold: `NAME=value`, quotes around values, comments, `export `. A value in quotes is taken as
 * it is; `\n` in double quotes is a line break. Nothing is expanded.
 */
export function parseDotenv(text: string): { env: Record<string, string>; faults: DotenvFault[] } {
  // Without a prototype every name is one like others.
  const env: Record<string, string> = Object.create(null);
  const faults: DotenvFault[] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, rest = ''] = /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) faults.push({ line: index + 1, text: 'is not NAME=value' });
    else if (Object.hasOwn(env, name)) faults.push({ line: index + 1, text: `${name} is there twice` });
    else {
      const value = readValue(rest);
      if (value === null) faults.push({ line: index + 1, text: `the quote of ${name} has no end on this line` });
      else env[name] = value;
    }
  }
  return { env, faults };
}

/** Null for a quote without an end. */
function readValue(text: string): string | null {
  const quote = /^["'`]/.exec(text)?.[0];
  if (quote === undefined) return text.replace(/(^|\s)#.*$/, '').trim();
  const quoted =
    quote === '"' ? /^"((?:[^"\\]|\\.)*)"/.exec(text) : new RegExp(`^${quote}([^${quote}]*)${quote}`).exec(text);
  if (!quoted) return null;
  const inside = quoted[1] as string;
  return quote === '"' ? inside.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)) : inside;
}
