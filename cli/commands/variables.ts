import { relative } from 'node:path';
import type { Command } from 'commander';
import { VerenError } from '../../contract/errors.ts';
import { ENVIRONMENTS, type Environment } from '../../contract/lanes.ts';
import { SEEN_BY, type SeenBy, type VariableList } from '../../contract/project-variables.ts';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { runGit } from '../git/runGit.ts';
import { parseWords } from '../output/parseOptions.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';
import { formatEnvFile, writeEnvFile } from '../variables/envFile.ts';
import { readGivenVariables } from '../variables/readGivenVariables.ts';
import { releaseVariables } from '../variables/releaseVariables.ts';

interface EnvironmentOptions extends ProjectOptions {
  readonly environment?: Environment[];
}
interface SetOptions extends EnvironmentOptions {
  readonly secret?: boolean;
  readonly seenBy?: SeenBy[];
  readonly file?: string;
  readonly replace?: boolean;
}

const withEnvironment = (command: Command, description: string) =>
  withProjectOptions(command).option(
    '-t, --environment <name>',
    `${description}: ${ENVIRONMENTS.join(' or ')}`,
    parseWords(ENVIRONMENTS),
  );

/** Of one environment, or of both: what a request's query can say. */
const oneOf = (environments: readonly Environment[] | undefined): Environment | undefined =>
  environments?.length === 1 ? environments[0] : undefined;

/** What runs is not changed by a change of variables. */
const outdatedLines = ({ outdated }: VariableList): string[] =>
  outdated ? ['Production\'s backend runs with the values before: "veren env release" starts it with these.'] : [];

export function registerVariableCommands(program: Command, { shell, openContext, endWith }: CommandHost): void {
  const env = program.command('env').helpCommand(false).description("a project's variables");

  withEnvironment(
    env.command('ls').description('list them; secrets are shown without their value'),
    'of one alone',
  ).action(async (options: EnvironmentOptions) => {
    const { client, style } = await openContext(options);
    const list = await client.listVariables(await requireProject(shell, options.project), oneOf(options.environment));
    if (options.json) return printJson(shell, list);
    if (list.items.length === 0) return tellUser(shell, 'No variables yet: "veren env set NAME" sets one.');
    const now = shell.now();
    const rows = list.items.map((variable) => [
      variable.name,
      variable.value === undefined ? '(secret)' : JSON.stringify(variable.value).slice(1, -1),
      variable.environments.join(','),
      variable.seenBy.join(','),
      formatAge(variable.updatedAt, now),
      variable.by,
    ]);
    const heading = ['NAME', 'VALUE', 'ENVIRONMENTS', 'SEEN BY', 'CHANGED', 'BY'];
    printResult(shell, ...formatTable(heading, rows, style.colors));
  });

  withEnvironment(
    env
      .command('set')
      .argument('[variables...]', 'NAME=value, or one NAME whose value is piped in or asked for')
      .description('set variables; the next deployment has them'),
    'for one alone',
  )
    .option('-s, --secret', 'never give the value back, and mask it in logs')
    .option('--seen-by <steps>', `${SEEN_BY.join(', ')}: what may see it; default: all`, parseWords(SEEN_BY))
    .option('-f, --file <file>', 'set what is in this .env file')
    .option('--replace', 'remove all others of these environments')
    .action(async (given: string[], options: SetOptions) => {
      const { client, style } = await openContext(options);
      const projectId = await requireProject(shell, options.project);
      const variables = await readGivenVariables(shell, given, options.file);
      const list = await client.setVariables(projectId, {
        env: variables,
        ...(options.secret && { secret: true }),
        ...(options.environment && { environments: options.environment }),
        ...(options.seenBy && { seenBy: options.seenBy }),
        ...(options.replace && { replace: true }),
      });
      if (options.json) return printJson(shell, list);
      tellUser(
        shell,
        style.safe(`Set in ${projectId}: ${Object.keys(variables).join(', ')}. The next deployment has it.`),
        ...outdatedLines(list),
      );
    });

  withProjectOptions(
    env.command('release').description("start production's backend with the current variables, without a build"),
  ).action(async (options: ProjectOptions) => {
    const context = await openContext(options);
    endWith(await releaseVariables(context, await requireProject(shell, options.project), options));
  });

  withEnvironment(env.command('rm').argument('<name>').description('remove one'), 'from one alone').action(
    async (name: string, options: EnvironmentOptions) => {
      const { client, style } = await openContext(options);
      const projectId = await requireProject(shell, options.project);
      const list = await client.removeVariable(projectId, name, oneOf(options.environment));
      if (options.json) return printJson(shell, list);
      tellUser(shell, style.safe(`Removed from ${projectId}: ${name}.`), ...outdatedLines(list));
    },
  );

  withProjectOptions(
    env
      .command('pull')
      .argument('[file]', 'where to', '.env.local')
      .description('write the variables to a file for work on this machine; secrets are only named in it'),
  )
    .option('-t, --environment <name>', `${ENVIRONMENTS.join(' or ')}; default: preview`, parseWords(ENVIRONMENTS))
    .option('--force', 'replace the file')
    .action(async (file: string, options: EnvironmentOptions & { readonly force?: boolean }) => {
      if ((options.environment?.length ?? 1) !== 1)
        throw new VerenError('CLI_USAGE', { reason: 'a file is of one environment.', help: 'veren env pull --help' });
      const { client, style } = await openContext(options);
      const projectId = await requireProject(shell, options.project);
      const environment = oneOf(options.environment) ?? 'preview';
      const { items } = await client.listVariables(projectId, environment);
      const { text, written, leftOut } = formatEnvFile(items, { projectId, environment });
      const path = await writeEnvFile(shell.cwd, file, text, options.force ?? false);
      if (options.json) return printJson(shell, { file: path, written, leftOut });
      tellUser(shell, `${written.length} variables are in ${relative(shell.cwd, path) || path}.`);
      if (leftOut.length > 0)
        tellUser(
          shell,
          style.safe(`Without a value there, since it is secret or cannot be written: ${leftOut.join(', ')}.`),
        );
      const isTracked = await runGit(shell, shell.cwd, ['rev-parse', '--show-toplevel']).catch(() => null);
      if (isTracked && (await runGit(shell, shell.cwd, ['check-ignore', '--quiet', '--', path])) === null)
        tellUser(shell, 'git does not ignore this file: add it to .gitignore before you commit.');
    });
}
