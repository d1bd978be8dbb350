import { VerenError } from '../../contract/errors.ts';
import { type Shell, tellUser } from '../shell.ts';
import { isLoopback, laptopAddress, parseAddress } from './address.ts';
import { configFolder } from './configFolder.ts';
import { readContexts, TokenSchema } from './contextFile.ts';
import { findTokenFile, readPort, readTokenFile } from './findTokenFile.ts';

/** The platform that a command talks to. */
export interface ChosenContext {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly isLaptop: boolean;
}

/** The token of VEREN_TOKEN; undefined where it is not set. Throws CLI_USAGE for what is no token. */
export function tokenOfEnvironment({ env }: Pick<Shell, 'env'>): string | undefined {
  if (!env.VEREN_TOKEN) return undefined;
  const token = TokenSchema.safeParse(env.VEREN_TOKEN.trim());
  if (!token.success)
    throw new VerenError('CLI_USAGE', { reason: 'VEREN_TOKEN holds no token.', help: 'veren login --help' });
  return token.data;
}

/**
 * By `--context` or VEREN_CONTEXT, else VEREN_URL, else the context in use, else a platform of a folder above this one.
 * VEREN_TOKEN wins over the token of a context.
 */
export async function chooseContext(shell: Shell, named: string | undefined): Promise<ChosenContext> {
  const { env } = shell;
  const token = tokenOfEnvironment(shell);
  const contextOf = (name: string, url: string, known: string | undefined): ChosenContext => {
    const used = token ?? known;
    if (used === undefined) throw new VerenError('CLI_NOT_LOGGED_IN', { address: url });
    return { name, url, token: used, isLaptop: isLoopback(new URL(url)) };
  };
  const asked = named ?? env.VEREN_CONTEXT;
  if (!asked && env.VEREN_URL) {
    const url = parseAddress(env.VEREN_URL, { insecure: true });
    if (url.startsWith('http:') && !isLoopback(new URL(url)))
      tellUser(shell, `Warning: the token is sent to ${new URL(url).origin} without encryption.`);
    return contextOf('VEREN_URL', url, undefined);
  }
  const { current, contexts } = await readContexts(configFolder(shell));
  const name = asked || current;
  const context = name !== undefined && Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (name !== undefined) {
    if (!context) throw new VerenError('CLI_CONTEXT_UNKNOWN', { name });
    const known = context.tokenFile && !token ? await readTokenFile(context.tokenFile) : context.token;
    return contextOf(name, context.url, known);
  }
  const tokenFile = await findTokenFile(shell);
  if (tokenFile) {
    const port = env.PORT ?? (await readPort(tokenFile));
    return contextOf('laptop', laptopAddress(port), await readTokenFile(tokenFile));
  }
  throw new VerenError('CLI_NO_CONTEXT');
}
