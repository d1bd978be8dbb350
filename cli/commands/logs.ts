import type { Command } from 'commander';
import pc from 'picocolors';
import type { LogLine } from '../../contract/events.ts';
import type { DeploymentStatus } from '../../contract/record.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { followingOf } from '../deploy/followDeployment.ts';
import { EXIT } from '../exitCodes.ts';
import { chooseDeployment } from '../project/chooseDeployment.ts';
import { printResult, tellUser, terminalJson } from '../shell.ts';

interface LogsOptions extends ProjectOptions {
  readonly follow?: boolean;
}

export function registerLogs(program: Command, { shell, openContext, endWith }: CommandHost): void {
  withProjectOptions(
    program
      .command('logs')
      .argument('[deployment]', 'default: the newest of the project')
      .description("print a deployment's log"),
  )
    .option('-f, --follow', 'go on until the deployment ends; exits 1 where it fails')
    .action(async (argument: string | undefined, options: LogsOptions) => {
      const context = await openContext(options);
      const deploymentId = await chooseDeployment(shell, context.client, argument, options.project);
      if (!options.follow) {
        for await (const line of context.client.readLogs(deploymentId)) printLine(context, line, options);
        return;
      }
      const status = await followLines(context, deploymentId, options);
      if (status !== 'succeeded') endWith(EXIT.failedBuild);
    });
}

async function followLines(
  context: CommandContext,
  deploymentId: string,
  options: LogsOptions,
): Promise<DeploymentStatus | undefined> {
  const { shell, client } = context;
  const colors = pc.createColors(shell.stderr.color);
  let status: DeploymentStatus | undefined;
  await followingOf(shell, deploymentId, async (signal) => {
    for await (const followed of client.followLogs(deploymentId, { signal })) {
      if (followed.type === 'log') printLine(context, followed.line, options);
      const now =
        followed.type === 'end' ? followed.status : followed.type === 'status' ? followed.record.status : status;
      if (now !== undefined && now !== status) tellUser(shell, colors.dim(`deployment: ${now}`));
      status = now;
    }
  });
  return status;
}

function printLine({ shell, style }: CommandContext, line: LogLine, { json }: LogsOptions): void {
  if (json) {
    printResult(shell, terminalJson(line));
    return;
  }
  const text = style.safe(line.line);
  printResult(shell, line.stream === 'system' ? style.colors.dim(text) : text);
}
