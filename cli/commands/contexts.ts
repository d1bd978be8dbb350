import type { Command } from 'commander';
import pc from 'picocolors';
import { VerenError } from '../../contract/errors.ts';
import type { CommandHost } from '../commandHost.ts';
import { configFolder } from '../contexts/configFolder.ts';
import { type Contexts, readContexts, writeContexts } from '../contexts/contextFile.ts';
import { formatTable } from '../output/table.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface JsonOption {
  readonly json?: boolean;
}

const requireContext = ({ contexts }: Contexts, name: string): void => {
  if (!Object.hasOwn(contexts, name)) throw new VerenError('CLI_CONTEXT_UNKNOWN', { name });
};

export function registerContexts(program: Command, { shell }: CommandHost): void {
  const contexts = program
    .command('contexts')
    .helpCommand(false)
    .description('the platforms that "veren login" has kept');
  const folder = configFolder(shell);

  contexts
    .command('ls')
    .description('list them; tokens are not shown')
    .option('--json', 'as JSON')
    .action(async ({ json }: JsonOption) => {
      const known = await readContexts(folder);
      const items = Object.entries(known.contexts).map(([name, { url, tokenFile }]) => ({
        ...{ name, url, current: name === known.current },
        ...(tokenFile !== undefined && { tokenFile }),
      }));
      if (json) return printJson(shell, { items });
      if (items.length === 0) return tellUser(shell, 'None is known: "veren login <address>" keeps one.');
      const rows = items.map(({ current, name, url, tokenFile }) => [
        current ? '*' : '',
        name,
        url,
        tokenFile ?? 'kept',
      ]);
      printResult(
        shell,
        ...formatTable(['', 'CONTEXT', 'ADDRESS', 'TOKEN'], rows, pc.createColors(shell.stdout.color)),
      );
    });

  contexts
    .command('use')
    .argument('<context>')
    .description('use another one from now on')
    .action(async (name: string) => {
      const known = await readContexts(folder);
      requireContext(known, name);
      await writeContexts(folder, { ...known, current: name });
      tellUser(shell, `The context "${name}" is in use.`);
    });

  contexts
    .command('rm')
    .argument('<context>')
    .description('forget one, with its token; the token stays valid (see "veren tokens revoke")')
    .action(async (name: string) => {
      const known = await readContexts(folder);
      requireContext(known, name);
      const { [name]: _, ...rest } = known.contexts;
      const current = known.current === name || known.current === undefined ? {} : { current: known.current };
      await writeContexts(folder, { v: 1, ...current, contexts: rest });
      tellUser(shell, `The context "${name}" is forgotten.`);
    });
}
