import type { ProjectDocument } from '../../contract/project.ts';
import type { VariableList, VariableSet } from '../../contract/project-variables.ts';
import { releaseWith } from '../domain/releases.ts';
import { environmentOf } from '../domain/shown.ts';
import type { ApiDeps } from './deps.ts';

/**
 * Whether production's backend was started with other values than it would be now; undefined where it was not, or where
 * none runs. A change that only builds or previews see does not count.
 */
export async function findOutdated(
  { services, store, variables }: Pick<ApiDeps, 'services' | 'store' | 'variables'>,
  project: ProjectDocument,
  current: VariableSet | null,
): Promise<VariableList['outdated']> {
  const { projectId } = project;
  const shown = releaseWith(project, 'backend');
  const record = services && shown && (await store.get(shown.deploymentId))?.record;
  if (!shown || !record) return undefined;
  const version = shown.variables?.version ?? record.variables?.version ?? 0;
  if (version === (current?.version ?? 0)) return undefined;
  // A set that is lost differs.
  const before = version === 0 ? null : await variables.at(projectId, version).catch(() => undefined);
  const seen = (set: VariableSet | null) =>
    (set?.variables ?? [])
      .filter(({ environment, seenBy }) => environment === environmentOf(record) && seenBy.includes('run'))
      .map(({ name, since }) => `${name} ${since}`)
      .sort()
      .join('\n');
  if (before !== undefined && seen(before) === seen(current)) return undefined;
  const action =
    `POST /projects/${projectId}/releases with {"variables": "current"} starts the backend with the current values, ` +
    'without a build. What was built into a site changes with its next deployment.';
  return { deploymentId: shown.deploymentId, version, action };
}
