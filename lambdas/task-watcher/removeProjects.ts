import { randomUUID } from 'node:crypto';
import { s3Keys } from '../../contract/names.ts';
import { NOTHING_REMOVED, type ProjectDocument, type Removed } from '../../contract/project.ts';
import { listFolders, listObjects } from '../shared/listObjects.ts';
import { dropDeletion, listDeletions } from '../shared/projects/deletions.ts';
import { describeRemoved } from '../shared/projects/findProject.ts';
import { removePrefix } from '../shared/removeObjects.ts';
import { expireDeployments } from './expireDeployments.ts';
import { removeDeployment } from './removeDeployment.ts';
import { removeRoutes } from './removeRoutes.ts';
import { hasRunning } from './running.ts';
import type { SweepDeps } from './sweepDeps.ts';

/** Longer than a run of the function may take: whoever had the lease before is not at work any more. */
const LEASE_MS = 15 * 60_000;
/** Deployments of one round, after which the numbers are written down. */
const BATCH = 50;

/** Removes the projects whose time has come, as far as `mayGoOn` lets it; the next run continues. */
export async function removeProjects(deps: SweepDeps, mayGoOn: () => boolean): Promise<void> {
  for await (const projectId of listDeletions(deps.s3, deps.bucket)) {
    if (!mayGoOn()) return;
    try {
      await removeProject(deps, projectId, mayGoOn);
    } catch (error) {
      deps.log.warn('A project could not be removed, and the next sweep goes on', { projectId, error });
    }
  }
}

async function removeProject(deps: SweepDeps, projectId: string, mayGoOn: () => boolean): Promise<void> {
  const { projects, clock } = deps;
  const project = await projects.get(projectId);
  if (!project?.deleting) {
    // A preview of it was closed.
    if (project?.expiring) await expireDeployments(deps, project, mayGoOn);
    const isLeft = (await projects.get(projectId))?.expiring?.some(({ removed }) => !removed);
    return isLeft ? undefined : dropDeletion(deps.s3, deps.bucket, projectId);
  }
  if (Date.parse(project.deleting.until ?? project.deleting.at) > clock.now()) return;
  if (await hasRunning(deps, projectId)) return;
  const holder = randomUUID();
  const held = await projects.change(projectId, (before) => {
    const now = clock.now();
    const { deleting } = before;
    if (!deleting || Date.parse(deleting.until ?? deleting.at) > now) return before;
    if (deleting.removal && deleting.removal.leaseUntil > now) return before;
    return { ...before, deleting: { ...deleting, removal: { holder, leaseUntil: now + LEASE_MS } } };
  });
  if (held?.deleting?.removal?.holder !== holder) return;
  const isDone = await new ProjectRemoval(deps, held, holder, mayGoOn).run();
  if (isDone) await finish(deps, held, holder);
}

/** The removal of one project by the holder of its lease. */
class ProjectRemoval {
  readonly #deps: SweepDeps;
  readonly #project: ProjectDocument;
  readonly #holder: string;
  readonly #mayGoOn: () => boolean;

  constructor(deps: SweepDeps, project: ProjectDocument, holder: string, mayGoOn: () => boolean) {
    this.#deps = deps;
    this.#project = project;
    this.#holder = holder;
    this.#mayGoOn = mayGoOn;
  }

  /** @returns True where nothing is left but the document. */
  async run(): Promise<boolean> {
    const { projectId, owner } = this.#project;
    const { store } = this.#deps;
    await this.#removeRoutes();
    await this.#deps.services?.remove(projectId);
    for (const name of this.#project.domains ?? []) await this.#deps.ownDomains?.remove(this.#project, name);
    for (const { id, kind } of this.#project.notifications ?? [])
      if (kind === 'email') await this.#deps.mails?.remove({ projectId, notificationId: id });
    for (;;) {
      const { items } = await store.list({ owner, projectId, limit: BATCH });
      if (items.length === 0) break;
      const withImage = items.filter(({ plan }) => plan?.backend).map(({ deploymentId }) => deploymentId);
      const ids = items.map(({ deploymentId }) => deploymentId);
      if (!(await this.#removeDeployments(ids, withImage))) return false;
    }
    // Those that Redis has forgotten.
    for await (const ids of batches(this.#storedIds())) if (!(await this.#removeDeployments(ids, ids))) return false;
    // A releaser that had read the project before may have written one since, or started a service.
    await this.#removeRoutes();
    await this.#deps.services?.remove(projectId);
    const prefixes = [
      s3Keys.site(projectId),
      ...[s3Keys.deployments(projectId), s3Keys.caches(projectId), s3Keys.variables(projectId)],
      ...[s3Keys.uploads(projectId), s3Keys.costs(projectId)],
      ...[s3Keys.git(projectId), s3Keys.builds(projectId), s3Keys.handovers(projectId), s3Keys.archivedOf(projectId)],
    ];
    for (const prefix of prefixes) {
      const { objects, bytes, done } = await removePrefix(this.#deps, prefix, this.#mayGoOn);
      await this.#count({ objects, bytes });
      if (!done) return false;
    }
    return true;
  }

  async *#storedIds(): AsyncGenerator<string> {
    const { s3, bucket } = this.#deps;
    const { projectId } = this.#project;
    for await (const id of listFolders(s3, bucket, s3Keys.deployments(projectId))) yield id;
    const prefix = s3Keys.archivedOf(projectId);
    for await (const { Key = '' } of listObjects(s3, bucket, prefix)) yield Key.slice(prefix.length);
  }

  /** @returns False where the next run has to go on. */
  async #removeDeployments(ids: readonly string[], withImage: readonly string[]): Promise<boolean> {
    const { projectId } = this.#project;
    const images = withImage.length === 0 ? 0 : await this.#deps.removeImages(projectId, withImage);
    let [objects, bytes] = [0, 0];
    for (const id of ids) {
      const removed = await removeDeployment(this.#deps, projectId, id);
      objects += removed.objects;
      bytes += removed.bytes;
    }
    await this.#count({ deployments: ids.length, images, objects, bytes });
    return this.#mayGoOn();
  }

  /** By the table itself, since the store has forgotten who is older than 90 days, and branches are in records alone. */
  async #removeRoutes(): Promise<void> {
    const { sites } = this.#deps;
    if (!sites) return;
    const { projectId } = this.#project;
    const listed = await sites.listRoutes(projectId);
    // Listing takes its time: a domain may be another project's meanwhile.
    const removed = await removeRoutes(sites, listed, (route) => route.projectId === projectId);
    if (removed > 0) await this.#count({ addresses: removed });
  }

  /** Adds to what the project's document says, and takes the lease anew. Throws where somebody else has it. */
  async #count(more: Partial<Removed>): Promise<void> {
    const leaseUntil = this.#mayGoOn() ? this.#deps.clock.now() + LEASE_MS : 0;
    const changed = await this.#deps.projects.change(this.#project.projectId, (before) => {
      const { deleting } = before;
      if (deleting?.removal?.holder !== this.#holder) return before;
      const removed: Removed = { ...(deleting.removed ?? NOTHING_REMOVED) };
      for (const [name, count] of Object.entries(more)) removed[name as keyof Removed] += count;
      return { ...before, deleting: { ...deleting, removed, removal: { holder: this.#holder, leaseUntil } } };
    });
    if (changed?.deleting?.removal?.holder !== this.#holder) throw new Error('somebody else removes this project');
  }
}

/** Frees the name, and says what was removed: in the audit list and in place of the document. */
async function finish(deps: SweepDeps, { projectId, owner, addressKey }: ProjectDocument, holder: string) {
  const { projects, store, clock } = deps;
  await store.releaseProject(projectId, owner);
  const project = await projects.get(projectId);
  if (project?.addressKey !== addressKey || project.deleting?.removal?.holder !== holder) return;
  await projects.unlist(project);
  const { by, removed = NOTHING_REMOVED } = project.deleting;
  const at = new Date(clock.now()).toISOString();
  await projects.change(projectId, (before) =>
    before.deleting?.removal?.holder === holder
      ? {
          ...before,
          deleting: undefined,
          settings: {},
          notifications: undefined,
          release: null,
          releases: [],
          deleted: { by, at, removed },
        }
      : before,
  );
  await deps.audit({ owner, by: 'veren', action: 'project.removed', projectId, detail: describeRemoved(removed) });
  await dropDeletion(deps.s3, deps.bucket, projectId);
  deps.log.info('A project was removed', { projectId, ...removed });
}

async function* batches(ids: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
