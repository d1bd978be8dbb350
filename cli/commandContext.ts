import pc from 'picocolors';
import { type Style, styleOf } from './client/summary.ts';
import { VerenClient } from './client/VerenClient.ts';
import { type ChosenContext, chooseContext } from './contexts/chooseContext.ts';
import type { Shell } from './shell.ts';

/** Options that every command has which talks to a platform. */
export interface CommonOptions {
  readonly context?: string;
  readonly json?: boolean;
}

/** Options of commands that are about one project. */
export interface ProjectOptions extends CommonOptions {
  readonly project?: string;
}

/** What a command works with. */
export interface CommandContext {
  readonly shell: Shell;
  readonly chosen: ChosenContext;
  readonly client: VerenClient;
  readonly style: Style;
}

/** Makes the context of a command. The token is masked from then on in all that is written. */
export type OpenContext = (options: CommonOptions) => Promise<CommandContext>;

export const contextOpener =
  (shell: Shell, keepSecret: (token: string) => void): OpenContext =>
  async ({ context }) => {
    const chosen = await chooseContext(shell, context);
    keepSecret(chosen.token);
    const client = new VerenClient({ baseUrl: chosen.url, token: chosen.token });
    return { shell, chosen, client, style: styleOf(pc.createColors(shell.stdout.color)) };
  };
