import type { Accepted, DeploymentView } from '../../contract/api.ts';
import { TARGETS } from '../../contract/builders.ts';
import { buildJobId } from '../../contract/jobs.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { builtDeployment } from '../domain/sameAs.ts';
import type { Job } from '../shared/ports.ts';
import type { ApiDeps } from './deps.ts';
import { serviceOf, type ViewDeps } from './viewService.ts';

export function linksOf(origin: string, deploymentId: string): Accepted['links'] {
  const self = `${origin}/deployments/${deploymentId}`;
  return {
    self,
    logs: `${self}/logs`,
    cancel: `${self}/cancel`,
    redeploy: `${self}/redeploy`,
    promote: `${self}/promote`,
  };
}

export const acceptedAnswer = (origin: string, record: DeploymentRecord): Accepted => ({
  deploymentId: record.deploymentId,
  projectId: record.projectId,
  status: record.status,
  links: linksOf(origin, record.deploymentId),
});

/** Adds what only the platform knows: where the site is, and how many builds are before a waiting one. */
export async function viewRecord(
  deps: ViewDeps,
  origin: string,
  record: DeploymentRecord,
  waiting: readonly Job[],
  project: ProjectDocument | null,
): Promise<DeploymentView> {
  const builds: DeploymentView['builds'] = {};
  for (const target of TARGETS) {
    const build = record.builds[target];
    if (!build) continue;
    const { artifact, ...rest } = build;
    const place = waiting.findIndex((job) => job.id === buildJobId(record.deploymentId, target));
    builds[target] = {
      ...rest,
      ...(build.status === 'queued' && place >= 0 && { position: place + 1 }),
      ...(artifact && {
        artifact:
          artifact.kind === 'static' ? { ...artifact, ...(await deps.siteAddresses(record, project)) } : artifact,
      }),
    };
  }
  // An unchanged deployment is released as the one that it shows.
  const released = project?.release?.deploymentId === builtDeployment(record) && { released: project.release.at };
  const service = await serviceOf(deps, record, project);
  const links = linksOf(origin, record.deploymentId);
  return { ...record, builds, links, ...released, ...(service && { service }) };
}

/** The waiting builds, asked for only where a record has one that waits. */
export async function waitingBuilds(
  deps: Pick<ApiDeps, 'queue'>,
  records: readonly DeploymentRecord[],
): Promise<Job[]> {
  const anyWaits = records.some((r) => TARGETS.some((t) => r.builds[t]?.status === 'queued'));
  return anyWaits ? deps.queue.list('build', 'waiting') : [];
}

/** The documents of the records' projects, each read once. */
export async function projectsOf(
  deps: Pick<ApiDeps, 'projects'>,
  records: readonly DeploymentRecord[],
): Promise<(record: DeploymentRecord) => ProjectDocument | null> {
  const ids = [...new Set(records.map((record) => record.projectId))];
  const found = await Promise.all(ids.map((id) => deps.projects.get(id)));
  return ({ projectId }) => found[ids.indexOf(projectId)] ?? null;
}
