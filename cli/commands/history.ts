import type { Command } from 'commander';
import type { DeploymentView } from '../../contract/api.ts';
import type { Release } from '../../contract/project.ts';
import { forEachParallel } from '../../lambdas/shared/async.ts';
import { ProblemError } from '../client/errors.ts';
import type { VerenClient } from '../client/VerenClient.ts';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { describeSource } from '../output/describeSource.ts';
import { parseCount } from '../output/parseOptions.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface HistoryOptions extends ProjectOptions {
  readonly limit: number;
}

const HEADING = ['DEPLOYMENT', 'RELEASED', 'SOURCE', 'HOW', 'BY', 'REASON'];
const AT_ONCE = 4;

/** `releases`: what production serves and has served. */
export function registerHistory(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('releases')
      .argument('[project]', 'in place of --project')
      .description('list what production serves and has served, newest first'),
  )
    .option('-n, --limit <count>', 'at most so many, 1 to 100', parseCount(1, 100), 10)
    .action(async (argument: string | undefined, options: HistoryOptions) => {
      const { client, style } = await openContext(options);
      const projectId = await requireProject(shell, argument ?? options.project);
      const history = await client.getReleases(projectId);
      if (options.json) return printJson(shell, history);
      const releases = history.releases.slice(0, options.limit);
      if (releases.length === 0) return tellUser(shell, 'Nothing was released yet: "veren deploy --prod" does.');
      const sources = await readSources(client, releases);
      const now = shell.now();
      const rows = releases.map((release) => [
        release.deploymentId,
        `${formatAge(release.at, now)}${release.releaseId === history.release?.releaseId ? ' (live)' : ''}`,
        sources.get(release.deploymentId) ?? '-',
        release.variables ? `${release.kind}, variables ${release.variables.version}` : release.kind,
        release.by,
        release.reason ?? '-',
      ]);
      printResult(shell, ...formatTable(HEADING, rows, style.colors));
      if (history.pinned) tellUser(shell, style.safe(`Pinned by ${history.pinned.by}: nothing is released by itself.`));
    });
}

/** What each of them was made of, where its record is still there. */
async function readSources(client: VerenClient, releases: readonly Release[]): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const ids = [...new Set(releases.map(({ deploymentId }) => deploymentId))];
  await forEachParallel(ids, AT_ONCE, async (id) => {
    const record = await client.getDeployment(id).catch((error: unknown): DeploymentView | undefined => {
      if (error instanceof ProblemError && error.status === 404) return undefined;
      throw error;
    });
    if (record) sources.set(id, describeSource(record));
  });
  return sources;
}
