import { TARGETS } from '../../contract/builders.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import type { Plan } from '../../contract/plan.ts';
import { isExpired } from '../domain/sameAs.ts';
import type { BuildIndex } from '../shared/buildIndex.ts';
import type { Clock, DeploymentStore } from '../shared/ports.ts';
import { keepReused } from '../shared/projects/expiry.ts';
import type { ProjectStore } from '../shared/projects/projectStore.ts';

interface Deps {
  readonly builds: Pick<BuildIndex, 'find'>;
  readonly projects: Pick<ProjectStore, 'change'>;
  readonly store: DeploymentStore;
  readonly clock: Clock;
}

type Same = Pick<Extract<DeploymentEvent, { type: 'deployment.unchanged' }>, 'sameAs' | 'artifacts'>;

/**
 * The deployment of the same project and lane that was built from the same, with its artifacts; it is kept from now on.
 * Null where there is none that is whole and kept.
 */
export async function findSame(deps: Deps, projectId: string, plan: Plan): Promise<Same | null> {
  const { lane, buildKey } = plan;
  if (lane === undefined || buildKey === undefined) return null;
  const sameAs = await deps.builds.find(projectId, lane, buildKey);
  const record = sameAs === null ? undefined : (await deps.store.get(sameAs))?.record;
  if (!record || sameAs === null || record.projectId !== projectId || record.plan?.lane !== lane) return null;
  if (record.status !== 'succeeded' || record.outcome !== 'complete' || isExpired(record) || record.sameAs) return null;
  const artifacts: Same['artifacts'] = {};
  for (const target of TARGETS) {
    if (!plan[target]) continue;
    const artifact = record.builds[target]?.artifact;
    if (!artifact) return null;
    artifacts[target] = artifact;
  }
  let isKept = false;
  await deps.projects.change(projectId, (project) => {
    const after = keepReused(project, sameAs, lane, deps.clock.now());
    isKept = after !== project;
    return after;
  });
  return isKept ? { sameAs, artifacts } : null;
}
