import type { Command } from 'commander';
import { VerenError } from '../../contract/errors.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { addressOf } from '../output/addresses.ts';
import { browsableAddress, openBrowser } from '../output/openBrowser.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface OpenOptions extends ProjectOptions {
  readonly print?: boolean;
}

export function registerOpen(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('open')
      .argument('[deployment]', 'default: what production serves')
      .description('open production, or a deployment, in the browser'),
  )
    .option('--print', 'print the address and open nothing')
    .action(async (argument: string | undefined, options: OpenOptions) => {
      const context = await openContext(options);
      const found = await findAddress(context, argument, options.project);
      const url = browsableAddress(found);
      if (!url) throw new VerenError('CLI_NO_ADDRESS', { reason: 'what it has is no web address.' });
      if (options.json) return printJson(shell, { url });
      printResult(shell, context.style.safe(url));
      // Without a terminal nobody is there to look at it.
      if (options.print || !shell.stdout.isTTY) return;
      if (!(await openBrowser(shell, url))) tellUser(shell, 'No program was found that opens addresses.');
    });
}

/** Throws CLI_NO_ADDRESS. */
async function findAddress(
  { shell, client }: CommandContext,
  deployment: string | undefined,
  project: string | undefined,
): Promise<string> {
  const none = (reason: string): never => {
    throw new VerenError('CLI_NO_ADDRESS', { reason });
  };
  if (deployment !== undefined) {
    const record = await client.getDeployment(deployment);
    return addressOf(record, { production: false }) ?? none(`the deployment is ${record.status} and shows nothing.`);
  }
  const projectId = await requireProject(shell, project);
  const { release } = await client.getProject(projectId);
  if (!release) return none(`nothing of "${projectId}" is released.`);
  const record = await client.getDeployment(release.deploymentId);
  return addressOf(record, { production: true }) ?? none(`what is released of "${projectId}" has no address.`);
}
