import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { VerenError } from '../../contract/errors.ts';
import type { VariableView } from '../../contract/project-variables.ts';
import { ENV_NAME } from '../../contract/variables.ts';

const QUOTES = ["'", '`', '"'];

/**
 * The line of a variable in the form that Node's own parser reads; undefined for a value that no line can say. It is
 * tried, since dialects of this format differ in what they do between quotes.
 */
export function envLine(name: string, value: string): string | undefined {
  if (!ENV_NAME.test(name)) return undefined;
  // A quote in the value could end it, or begin one that ends in a later line.
  const lines = QUOTES.filter((quote) => !value.includes(quote)).map((quote) => `${name}=${quote}${value}${quote}`);
  return lines.find((line) => {
    // What follows must be read as it stands, or a value could end before its end and begin another variable.
    const read = parseEnv(`${line}\nAFTER_IT='1'\n`);
    return Object.keys(read).length === 2 && read[name] === value && read.AFTER_IT === '1';
  });
}

/** A `.env` file of what has a value. */
export function formatEnvFile(
  variables: readonly VariableView[],
  { projectId, environment }: { readonly projectId: string; readonly environment: string },
): { readonly text: string; readonly written: string[]; readonly leftOut: string[] } {
  const rows = variables
    .filter(({ name }) => ENV_NAME.test(name))
    .map(({ name, value }) => ({ name, line: value === undefined ? undefined : envLine(name, value) }));
  const lines = rows.map(({ name, line }) => line ?? `# ${name}= (not given here)`);
  return {
    text: `${[`# Variables of ${projectId} (${environment}), by "veren env pull".`, ...lines].join('\n')}\n`,
    written: rows.filter(({ line }) => line !== undefined).map(({ name }) => name),
    leftOut: rows.filter(({ line }) => line === undefined).map(({ name }) => name),
  };
}

/** Only the user may read it. A link at its name is replaced and not followed. Throws CLI_FILE_EXISTS. */
export async function writeEnvFile(cwd: string, file: string, text: string, replace: boolean): Promise<string> {
  const path = resolve(cwd, file);
  const temporary = `${path}.${process.pid}.new`;
  const options = { mode: 0o600, flag: 'wx' };
  try {
    if (!replace) await writeFile(path, text, options);
    else {
      await rm(temporary, { force: true });
      await writeFile(temporary, text, options);
      await rename(temporary, path);
    }
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new VerenError('CLI_FILE_EXISTS', { file: path });
    if (code === undefined) throw error;
    throw new VerenError('CLI_FILE_INVALID', { file: path, reason: code });
  }
  return path;
}
