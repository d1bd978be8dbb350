import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VerenError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/people.ts';
import { ProblemError } from '../client/errors.ts';
import { terminalText } from '../client/terminalText.ts';
import { VerenClient } from '../client/VerenClient.ts';
import type { CommandHost } from '../commandHost.ts';
import { isLoopback, laptopAddress, parseAddress } from '../contexts/address.ts';
import { tokenOfEnvironment } from '../contexts/chooseContext.ts';
import { configFolder } from '../contexts/configFolder.ts';
import { type Context, ContextNameSchema, readContexts, TokenSchema, writeContexts } from '../contexts/contextFile.ts';
import { findTokenFile, readPort, readTokenFile } from '../contexts/findTokenFile.ts';
import { askSecret } from '../output/prompts.ts';
import { readInput } from '../output/readInput.ts';
import { printJson, type Shell, tellUser } from '../shell.ts';

interface LoginOptions {
  readonly name?: string;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

const HELP = `
The token comes from VEREN_TOKEN, --token-file, standard input, or a prompt; it is never an argument.
Of a platform on this machine the token file of "npm start" is found by itself, and read at every use.`;
const MAX_INPUT = 4_200;

export function registerLogin(program: Command, { shell, keepSecret }: CommandHost): void {
  program
    .command('login')
    .argument('[address]', 'of the API; default: a platform on this machine')
    .description('keep an address and a token as a context, and use it')
    .option('--name <context>', 'what to call it; default: "laptop", or the host name')
    .option('--token-file <file>', 'read the token from there, now and later')
    .option('--insecure', 'allow http across a network')
    .option('--json', 'print whose the token is, as JSON')
    .addHelpText('after', HELP)
    .action(async (address: string | undefined, options: LoginOptions) => {
      const url = parseAddress(address ?? (await findLaptop(shell)), { insecure: options.insecure ?? false });
      const name = nameContext(options.name, url);
      const credentials = await findCredentials(shell, url, options);
      const token = credentials.token ?? (await readTokenFile(credentials.tokenFile as string));
      keepSecret(token);
      const caller = await checkToken(url, token);
      const folder = configFolder(shell);
      const { contexts } = await readContexts(folder);
      await writeContexts(folder, { v: 1, current: name, contexts: { ...contexts, [name]: { url, ...credentials } } });
      if (options.json) return printJson(shell, { context: name, url, ...caller });
      const who = caller ? ` as ${terminalText(`${caller.owner} (${caller.name}, ${caller.scope})`, false)}` : '';
      tellUser(shell, `Logged in to ${url}${who}. The context "${name}" is in use.`);
    });
}

/** Where a platform of this folder or one above is, or would be. */
async function findLaptop(shell: Shell): Promise<string> {
  const tokenFile = await findTokenFile(shell);
  return laptopAddress(shell.env.PORT ?? (tokenFile && (await readPort(tokenFile))));
}

/** Throws CLI_USAGE. */
function nameContext(given: string | undefined, url: string): string {
  const { hostname } = new URL(url);
  const name = given ?? (isLoopback(new URL(url)) ? 'laptop' : hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-'));
  if (ContextNameSchema.safeParse(name).success) return name;
  const reason = 'the name of a context has letters, digits, dots, "-" and "_".';
  throw new VerenError('CLI_USAGE', { reason, help: 'veren login --help' });
}

async function findCredentials(
  shell: Shell,
  url: string,
  { tokenFile }: LoginOptions,
): Promise<Pick<Context, 'token' | 'tokenFile'>> {
  if (tokenFile !== undefined) return { tokenFile: resolve(shell.cwd, tokenFile) };
  const given = tokenOfEnvironment(shell);
  if (given !== undefined) return { token: given };
  if (isLoopback(new URL(url))) {
    const found = await findTokenFile(shell);
    if (found !== undefined) return { tokenFile: found };
  }
  const asked = shell.stdin.isTTY
    ? await askSecret(`Token for ${url}`)
    : await readInput(shell, MAX_INPUT, 'veren login --help');
  const token = TokenSchema.safeParse(asked.trim());
  if (token.success) return { token: token.data };
  const how = 'pipe it in, or set VEREN_TOKEN';
  if (asked.trim() === '') throw new VerenError('CLI_NO_TERMINAL', { what: 'the token', how });
  throw new VerenError('CLI_USAGE', { reason: 'what was given is no token.', help: 'veren login --help' });
}

/** Whose the token is; undefined where a platform of an earlier version does not say. Throws what the client throws. */
async function checkToken(url: string, token: string): Promise<Caller | undefined> {
  const client = new VerenClient({ baseUrl: url, token });
  try {
    return await client.getCaller();
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 404)) throw error;
    await client.listDeployments({ limit: 1 });
    return undefined;
  }
}
