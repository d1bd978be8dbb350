import { z } from 'zod';
import { forEachParallel } from '../shared/async.ts';
import { openDocuments } from '../shared/documents.ts';
import { adoptProject } from '../shared/projects/adoptProject.ts';
import { deletionNoter } from '../shared/projects/deletions.ts';
import { expireDeployments } from './expireDeployments.ts';
import { removeProjects } from './removeProjects.ts';
import type { SweepDeps } from './sweepDeps.ts';
import { sweepVariables } from './sweepVariables.ts';

export interface RetentionSettings {
  /** How long one run may take (ms). Default: 15 s. */
  readonly runMs?: number;
  /** How often every project is looked at (ms). Default: once a day. */
  readonly passMs?: number;
}

const RUN_MS = 15_000;
const PASS_MS = 24 * 3_600_000;

/** Where the look at every project has got to. */
const PASS_KEY = '__sweeps/retention.json';
const PassSchema = z.object({
  startedAt: z.number(),
  after: z.string().nullable(),
  done: z.boolean(),
  /** The last claim that was looked at for a project without a document. Absent: all were. */
  adopting: z.string().optional(),
});
type Pass = z.infer<typeof PassSchema>;
/** Documents of projects that are read at once. */
const AT_ONCE = 16;

/**
 * The part of the schedule that is about whole projects: removes what was deleted, and once a day goes through all
 * projects and ends the deployments that are not kept any more. One run of a process at a time.
 */
export function projectSweep(deps: SweepDeps, settings: RetentionSettings): () => Promise<void> {
  const { runMs = RUN_MS } = settings;
  let isRunning = false;
  return async () => {
    if (isRunning) return;
    isRunning = true;
    const end = deps.clock.now() + runMs;
    const mayGoOn = () => deps.clock.now() < end;
    try {
      await removeProjects(deps, mayGoOn);
      await lookAtAll(deps, settings.passMs ?? PASS_MS, mayGoOn);
    } catch (error) {
      deps.log.warn('Projects could not be looked after, and the next sweep tries again', { error });
    } finally {
      isRunning = false;
    }
  };
}

async function lookAtAll(deps: SweepDeps, passMs: number, mayGoOn: () => boolean): Promise<void> {
  const documents = openDocuments(deps.s3, deps.bucket);
  const now = deps.clock.now();
  const known = await documents.read(PASS_KEY, PassSchema);
  // A pass that seems to begin in the future is of a clock that was set back.
  const isDue = !known || (known.done && (now - known.startedAt >= passMs || now < known.startedAt));
  if (known?.done && !isDue) return;
  if (isDue) await sweepDomains(deps, mayGoOn);
  let pass: Pass = isDue ? { startedAt: now, after: null, done: false, adopting: '' } : known;
  const save = (next: Pass) => documents.change(PASS_KEY, PassSchema, () => next);
  if (pass.adopting !== undefined) {
    const adopting = await adoptAll(deps, pass.adopting, mayGoOn);
    pass = { ...pass, adopting };
    if (adopting !== undefined) return void (await save(pass));
  }
  for await (const projectId of deps.projects.all(pass.after ?? undefined)) {
    if (!mayGoOn()) return void (await save(pass));
    try {
      await lookAt(deps, projectId, mayGoOn);
    } catch (error) {
      deps.log.warn('A project could not be looked after, and the next pass tries again', { projectId, error });
    }
    pass = { ...pass, after: projectId };
  }
  await save({ ...pass, done: true });
}

async function lookAt(deps: SweepDeps, projectId: string, mayGoOn: () => boolean): Promise<void> {
  const project = await deps.projects.get(projectId);
  if (project?.deleting) return deletionNoter(deps.s3, deps.bucket)(projectId);
  if (!project) return;
  while (mayGoOn()) {
    const current = await deps.projects.get(projectId);
    if (!current) return;
    if ((await expireDeployments(deps, current, mayGoOn)) > 0) continue;
    await sweepVariables(deps, current, mayGoOn);
    return;
  }
}

/** What is left of domains goes with the next pass; a platform that does not answer keeps no project from its look. */
async function sweepDomains({ ownDomains, log }: SweepDeps, mayGoOn: () => boolean): Promise<void> {
  try {
    const removed = (await ownDomains?.sweep(mayGoOn)) ?? [];
    if (removed.length > 0) log.info('What was left of domains was removed', { names: removed });
  } catch (error) {
    log.warn('What is left of domains could not be removed, and the next pass tries again', { error });
  }
}

/**
 * Projects that an earlier version has deployed get their documents, so that they are listed.
 * @returns The last one that was looked at where the time of the run was over before the end.
 */
async function adoptAll(deps: SweepDeps, after: string, mayGoOn: () => boolean): Promise<string | undefined> {
  const claims = (await deps.store.claims())
    .filter(({ projectId }) => projectId > after)
    .toSorted((a, b) => (a.projectId < b.projectId ? -1 : 1));
  for (let i = 0; i < claims.length; i += AT_ONCE) {
    if (!mayGoOn()) return claims[i - 1]?.projectId ?? after;
    await forEachParallel(claims.slice(i, i + AT_ONCE), AT_ONCE, async ({ projectId, owner }) => {
      if (!(await deps.projects.get(projectId))) await adoptProject(deps, { projectId, owner });
    });
  }
  return undefined;
}
