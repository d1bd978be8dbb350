import type { Command } from 'commander';
import { TARGETS } from '../../contract/builders.ts';
import type { Evidence, Plan } from '../../contract/plan.ts';
import { ProblemError } from '../client/errors.ts';
import { planLines } from '../client/progress.ts';
import type { Style } from '../client/summary.ts';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { chooseSource } from '../deploy/chooseSource.ts';
import { EXIT } from '../exitCodes.ts';
import { formatTable } from '../output/table.ts';
import { reportError } from '../reportError.ts';
import { printJson, printResult } from '../shell.ts';

interface AnalyzeOptions extends CommonOptions {
  readonly ref?: string;
  readonly path?: string;
}

/** The repository was read, and cannot be built: a deployment of it would fail. */
const CANNOT_BE_BUILT = 422;

export function registerAnalyze(program: Command, { shell, openContext, endWith }: CommandHost): void {
  withCommonOptions(
    program
      .command('analyze')
      .argument('[source]', 'git URL or folder, as for deploy')
      .description('show what would be built, and why; nothing is deployed'),
  )
    .option('--ref <name>', 'branch, tag or commit; default: what is checked out')
    .option('--path <folder>', 'look at this folder of the repository alone')
    .action(async (given: string | undefined, options: AnalyzeOptions) => {
      const { client, chosen, style } = await openContext(options);
      const { gitUrl, ref } = await chooseSource(shell, chosen, given, options.ref);
      const { path } = options;
      const gitToken = shell.env.VEREN_GIT_TOKEN?.trim();
      try {
        const plan = await client.analyze({
          gitUrl,
          ...(ref && { ref }),
          ...(path && { path }),
          ...(gitToken && { gitToken }),
        });
        if (options.json) return printJson(shell, plan);
        printResult(shell, ...describePlan(plan, style));
      } catch (error) {
        if (!(error instanceof ProblemError && error.status === CANNOT_BE_BUILT)) throw error;
        reportError(shell, error, { json: options.json ?? false });
        endWith(EXIT.failedBuild);
      }
    });
}

function describePlan(plan: Plan, style: Style): string[] {
  const rowOf = ({ field, value, file, rule }: Evidence) => [field, value, file ?? '-', rule];
  const evidence = TARGETS.flatMap((target) => (plan[target]?.evidence ?? []).map((e) => [target, ...rowOf(e)]));
  return [
    style.safe(`commit ${plan.commit}`),
    ...planLines({ plan }, style),
    '',
    ...formatTable(['TARGET', 'CHOICE', 'VALUE', 'FILE', 'RULE'], evidence, style.colors),
  ];
}
