import type { Manifest } from '../../contract/manifest.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { builtDeployment } from '../domain/sameAs.ts';
import { builtParts, mayBeShown } from '../domain/shown.ts';
import { forEachParallel } from '../shared/async.ts';
import {
  branchHost,
  branchOf,
  deploymentHost,
  previewRoute,
  productionRoute,
  serviceOnlyRoute,
} from '../shared/sites/routes.ts';
import { completeCopy } from './completeCopy.ts';
import type { ReleaserDeps } from './deps.ts';
import { previewService, productionService } from './services.ts';

/** Deployments in which the newest of a branch is looked for. */
const LOOK_BACK = 100;
/** Writers of one project's routes at the same moment; each of them needs one more look at most. */
const MAX_LOOKS = 20;
/** Changes of one call: the most keys of one UpdateKeys of a KeyValueStore. */
const MAX_CHANGES = 50;
/** Manifests that are read at once. */
const AT_ONCE = 16;

/**
 * Makes production's addresses show what the document says. The document may change, and somebody else may write the
 * routes, at any time: who has written looks again, so that the last to write has seen the last change. Safe to repeat.
 * @returns the document that is shown; null where there is none
 */
export async function applyProduction(deps: ReleaserDeps, projectId: string): Promise<ProjectDocument | null> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const project = await deps.projects.get(projectId);
    if (!project || project.deleting) return null;
    const released = productionRoute(project, deps.clock.now());
    const manifest = released && (await completeCopy(deps.objects, projectId, released.deploymentId));
    if (released && !manifest)
      throw new Error(`the files of ${released.deploymentId}, which is released, are not there`);
    const service = await productionService(deps, project, released !== null);
    const site = released ?? (service && serviceOnlyRoute(project, service));
    if (!site) return project;
    const route: SiteRoute = {
      ...site,
      ...(manifest?.rules && { rules: manifest.rules }),
      ...(service && { service }),
    };
    const hosts = [projectId, ...((await deps.ownDomains?.(project)) ?? [])];
    if (!(await pointMissing(deps, hosts, route))) return project;
    const after = await deps.projects.get(projectId);
    if (JSON.stringify(after) === JSON.stringify(project)) return project;
  }
  throw new Error('the project changes faster than its routes can follow');
}

/** Writes hosts that show something else; false where none does. */
async function pointMissing(deps: ReleaserDeps, hosts: readonly string[], route: SiteRoute): Promise<boolean> {
  const wanted = JSON.stringify(route);
  const found = await Promise.all(hosts.map((host) => deps.sites.find(host)));
  const changes = hosts.filter((_, i) => JSON.stringify(found[i]) !== wanted).map((host) => ({ host, route }));
  if (changes.length === 0) return false;
  await deps.sites.point(changes);
  return true;
}

/**
 * Gives deployments their addresses, and their branches the newest of theirs.
 * @param records Some of the project's.
 * @param all Writes also what is there already.
 */
export async function applyPreviews(
  deps: ReleaserDeps,
  project: ProjectDocument,
  records: readonly DeploymentRecord[],
  all = false,
): Promise<void> {
  const branches = new Set<string>();
  const found = new Map<string, Shown>();
  await forEachParallel(records, AT_ONCE, async (record) => {
    if (!showsSomething(deps, record)) return;
    // One that was not built since nothing had changed has the address of the deployment that it shows.
    const host = deploymentHost(project, builtDeployment(record));
    if (!all && (await deps.sites.find(host))) return;
    const shown = await findShown(deps, project, record);
    if (!shown) return;
    found.set(host, shown);
    const branch = branchOf(record);
    if (branch !== undefined) branches.add(branch);
  });
  const current = await pointPreviews(deps, project, async () => [...found]);
  for (const branch of branches) await applyBranch(deps, current, branch);
}

/** Writes every preview that has an address once more, as the project's document says. */
export async function rewritePreviews(deps: ReleaserDeps, projectId: string): Promise<void> {
  const project = await deps.projects.get(projectId);
  if (!project || project.deleting) return;
  await pointPreviews(deps, project, async () => {
    const shown = await deps.sites.listRoutes(projectId);
    return shown.flatMap(({ host, route }) => (route.noindex ? [[host, route] as const] : []));
  });
}

/**
 * Points hosts at what they show. The document may change meanwhile: who has written looks again, so that no preview
 * stays open that is to be locked. @returns The document that was written by.
 */
async function pointPreviews(
  deps: ReleaserDeps,
  project: ProjectDocument,
  listShown: () => Promise<readonly (readonly [host: string, shown: Shown])[]>,
): Promise<ProjectDocument> {
  let current = project;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const changes = (await listShown()).map(([host, shown]) => ({ host, route: shownBy(current, shown) }));
    for (let i = 0; i < changes.length; i += MAX_CHANGES) await deps.sites.point(changes.slice(i, i + MAX_CHANGES));
    if (changes.length === 0) return current;
    const after = await deps.projects.get(project.projectId);
    if (!after || after.deleting || after.addressKey !== project.addressKey || lockOf(after) === lockOf(current))
      return current;
    current = after;
  }
  throw new Error('the project changes faster than its routes can follow');
}

/** What a preview's route takes of the document. */
const lockOf = ({ settings, previewPassword }: ProjectDocument): string =>
  JSON.stringify([settings.previews?.protection ?? null, previewPassword ?? null]);

/** As with production: who has written looks again whether a newer deployment of the branch has come. */
async function applyBranch(deps: ReleaserDeps, project: ProjectDocument, branch: string): Promise<void> {
  let current = project;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const { owner, projectId } = current;
    const { items } = await deps.store.list({ owner, projectId, limit: LOOK_BACK });
    const newest = items.find((record) => showsSomething(deps, record) && branchOf(record) === branch);
    const shown = newest && (await findShown(deps, current, newest));
    if (!shown) return;
    if (!(await pointMissing(deps, [branchHost(current, branch)], shownBy(current, shown)))) return;
    const after = await deps.projects.get(projectId);
    if (!after || after.deleting || after.addressKey !== current.addressKey) return;
    current = after;
  }
}

/** What an address shows: files, a backend, or both. */
type Shown = Pick<SiteRoute, 'deploymentId' | 'rules' | 'service'>;

const shownBy = (project: ProjectDocument, { service, ...site }: Shown): SiteRoute => ({
  ...previewRoute(project, site),
  ...(service && { service }),
});

/** What the address of a deployment shows; null where nothing can be shown. A backend that does not run hides no site. */
async function findShown(
  deps: ReleaserDeps,
  project: ProjectDocument,
  record: DeploymentRecord,
): Promise<Shown | null> {
  const hasSite = builtParts(record).includes('frontend');
  const manifest = hasSite ? await findManifest(deps, record) : null;
  if (hasSite && !manifest) return null;
  const { deploymentId } = record;
  const service = await previewService(deps, project, record).catch((error: Error) => {
    deps.log.warn('The backend of a deployment could not be started, and has no address yet', { deploymentId, error });
    return undefined;
  });
  if (!manifest && !service) return null;
  return {
    deploymentId: manifest?.deploymentId ?? builtDeployment(record),
    ...(manifest?.rules && { rules: manifest.rules }),
    ...(service && { service }),
  };
}

/** What a build has left may be of any form: it keeps its own deployment from being shown, and no other. */
async function findManifest({ objects, log }: ReleaserDeps, record: DeploymentRecord): Promise<Manifest | null> {
  const { projectId, deploymentId } = record;
  try {
    return await completeCopy(objects, projectId, builtDeployment(record));
  } catch (error) {
    log.warn('The files of a deployment could not be completed, and it has no address yet', { deploymentId, error });
    return null;
  }
}

/** A backend is something to show where backends are run. */
const showsSomething = ({ runner }: ReleaserDeps, record: DeploymentRecord): boolean =>
  mayBeShown(record) && builtParts(record).some((part) => part === 'frontend' || runner !== undefined);
