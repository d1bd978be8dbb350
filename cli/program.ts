import { Command } from 'commander';
import pc from 'picocolors';
import type { CommandHost } from './commandHost.ts';
import { registerAudit, registerUsage } from './commands/account.ts';
import { registerAnalyze } from './commands/analyze.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerContexts } from './commands/contexts.ts';
import { registerCosts } from './commands/costs.ts';
import { registerDeploy } from './commands/deploy.ts';
import { registerDomains } from './commands/domains.ts';
import { registerHistory } from './commands/history.ts';
import { registerInspect } from './commands/inspect.ts';
import { registerLink } from './commands/link.ts';
import { registerList } from './commands/list.ts';
import { registerLogin } from './commands/login.ts';
import { registerLogs } from './commands/logs.ts';
import { registerMcp } from './commands/mcp.ts';
import { registerOpen } from './commands/open.ts';
import { registerMembers } from './commands/people.ts';
import { registerProjects } from './commands/projects.ts';
import { registerReleases } from './commands/releases.ts';
import { registerRepeat } from './commands/repeat.ts';
import { registerTokens } from './commands/tokens.ts';
import { registerVariableCommands } from './commands/variables.ts';
import { registerWhoamiCommand } from './commands/whoami.ts';
import manifest from './package.json' with { type: 'json' };

const EXAMPLES = `
Examples:
  $ veren login https://veren.example.com   keep an address and a token as a context
  $ veren link                              say which project this folder is
  $ veren deploy                            preview of the commit that is checked out here
  $ veren deploy --prod                     the same, released to production
  $ veren deploy --folder                   the files as they are, without git
  $ veren deploy https://github.com/me/app  deploy any repository
  $ veren logs -f                           follow the newest deployment
  $ veren rollback                          back to the release before

Results go to stdout, everything else to stderr; --json prints what the API has answered.
Exit codes: 0 ok, 1 failed build, 2 usage, 3 not authenticated, 4 platform.
All of it: docs/cli.md`;

/** A command in a list: with its arguments, or with the commands below it. */
const nameCommand = (command: Command): string => {
  const below = command.commands.map((child) => child.name()).join('|');
  const given = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...(below === '' ? given : [below])].join(' ');
};

/** The whole command line. Throws CommanderError for help, version and wrong calls. */
export function createProgram(host: CommandHost): Command {
  const { stdout, stderr } = host.shell;
  const program = new Command('veren')
    .description('Deploy git repositories and folders to your own Veren, follow them, release them and roll back.')
    .usage('<command> [options]')
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show the help of a command')
    .helpCommand(false)
    .option('--no-color', 'no colours')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => stdout.color,
      getErrHasColors: () => stderr.color,
      outputError: (text, write) => write(text.replace(/^error: /, `${pc.createColors(stderr.color).red('Error:')} `)),
    })
    .configureHelp({ styleTitle: (title) => pc.createColors(stdout.color).bold(title), subcommandTerm: nameCommand })
    .addHelpText('after', EXAMPLES);

  program.commandsGroup('Deploy:');
  registerDeploy(program, host);
  registerRepeat(program, host);
  registerList(program, host);
  registerInspect(program, host);
  registerLogs(program, host);
  registerOpen(program, host);
  registerAnalyze(program, host);
  program.commandsGroup('Release:');
  registerReleases(program, host);
  registerHistory(program, host);
  program.commandsGroup('Project:');
  registerLink(program, host);
  registerProjects(program, host);
  registerCosts(program, host);
  registerVariableCommands(program, host);
  registerDomains(program, host);
  program.commandsGroup('Account:');
  registerLogin(program, host);
  registerContexts(program, host);
  registerWhoamiCommand(program, host);
  registerTokens(program, host);
  registerMembers(program, host);
  registerAudit(program, host);
  registerUsage(program, host);
  registerMcp(program, host);
  registerCompletion(program, host);
  return program;
}
