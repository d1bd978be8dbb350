import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { VerenError } from '../../contract/errors.ts';
import { ENV_NAME } from '../../contract/variables.ts';
import { parseVariables } from '../deploy/parseVariables.ts';
import { askSecret } from '../output/prompts.ts';
import { readInput } from '../output/readInput.ts';
import type { Shell } from '../shell.ts';

const HELP = 'veren env set --help';
const MAX_CHARACTERS = 256 * 1024;

/**
 * From `NAME=value` arguments, a `.env` file, or for one `NAME` alone from standard input or a prompt, so that a secret is
 * in no command line. Throws CLI_USAGE, CLI_FILE_INVALID.
 */
export async function readGivenVariables(
  shell: Shell,
  given: readonly string[],
  file: string | undefined,
): Promise<Record<string, string>> {
  if (file !== undefined) return { ...(await readEnvFile(shell, file)), ...parseVariables(given, shell.env, HELP) };
  const [only] = given;
  if (only === undefined) throw new VerenError('CLI_USAGE', { reason: 'no variable was given.', help: HELP });
  if (given.length > 1 || only.includes('=')) {
    const bare = given.find((text) => !text.includes('='));
    if (bare !== undefined)
      throw new VerenError('CLI_USAGE', { reason: 'of several variables each is given as NAME=value.', help: HELP });
    return parseVariables(given, shell.env, HELP);
  }
  if (!ENV_NAME.test(only))
    throw new VerenError('CLI_USAGE', { reason: 'the name of a variable has letters, digits and "_".', help: HELP });
  const value = shell.stdin.isTTY ? await askSecret(`Value of ${only}`) : await readInput(shell, MAX_CHARACTERS, HELP);
  return { [only]: value };
}

async function readEnvFile({ cwd }: Shell, file: string): Promise<Record<string, string>> {
  const path = resolve(cwd, file);
  const invalid = (reason: string) => new VerenError('CLI_FILE_INVALID', { file: path, reason });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw invalid(error.code ?? 'unknown');
  });
  if (text.length > MAX_CHARACTERS) throw invalid(`it is longer than ${MAX_CHARACTERS} characters`);
  const variables = parseEnv(text) as Record<string, string>;
  if (Object.keys(variables).length === 0) throw invalid('it holds no variables');
  return variables;
}
