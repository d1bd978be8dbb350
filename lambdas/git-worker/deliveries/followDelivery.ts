import type { DeliveryJob, GitConnection, GitDelivery, Trigger } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { asksForNothing, decideDelivery, type GitDecision } from '../../domain/gitDecision.ts';
import { closeBranch } from '../../shared/deployments/closeBranch.ts';
import { deployCommit } from '../../shared/gitHosts/deployCommit.ts';
import { noteFault } from '../../shared/gitHosts/gitFault.ts';
import type { GitTarget } from '../../shared/gitHosts/gitRequest.ts';
import { type Connected, connectedWith, findClosing, isApproved } from '../../shared/gitHosts/gitState.ts';
import { queueHeldReport, queueReport } from '../../shared/gitHosts/queueReport.ts';
import { type GitAccess, readGitAccess } from '../../shared/gitHosts/readGitAccess.ts';
import { isSameRepository, urlOfSibling } from '../../shared/gitHosts/repositoryUrl.ts';
import type { GitWorkerDeps } from '../deps.ts';
import { askTip, type Chosen, chooseCommit, type Patience, type RefDelivery, waitForHost } from './askTip.ts';
import { renameRepository } from './renameRepository.ts';

type Deploy = Extract<GitDecision, { kind: 'deploy' }>;

/** What a delivery is followed for. */
interface Followed {
  readonly project: ProjectDocument;
  readonly gitUrl: string;
  readonly connection: GitConnection;
  readonly connected: Connected;
}

/**
 * Does what follows from one delivery for each of its projects. May be repeated: every commit is deployed once.
 * @param attempt From 1. Throws where it should be tried again.
 */
export async function followDelivery(deps: GitWorkerDeps, job: DeliveryJob, attempt: number): Promise<void> {
  const patience = { attempt, ageMs: deps.clock.now() - job.receivedAt };
  for (const projectId of job.projectIds) {
    const project = await deps.projects.get(projectId);
    const reason = await followFor(deps, job, project, patience);
    if (reason !== null)
      deps.log.info('Nothing follows from a delivery', { projectId, kind: job.delivery.kind, reason });
  }
}

/** @returns why nothing follows; null where something did */
async function followFor(
  deps: GitWorkerDeps,
  { owner, host, delivery }: DeliveryJob,
  known: ProjectDocument | null,
  patience: Patience,
): Promise<string | null> {
  if (!known || known.owner !== owner || known.deleting) return 'The project is not there any more.';
  if (delivery.kind === 'nothing') return delivery.reason;
  const { connection } = known.settings;
  if (connection?.host !== host) return 'The project is not connected with this host.';
  const project = await recogniseRepository(deps, known, connection, delivery);
  const { gitUrl, connection: current } = project?.settings ?? {};
  const connected = project && connectedWith(project.settings);
  if (!project || !current || !connected) return 'The delivery is of another repository than the project.';
  if (delivery.kind === 'renamed') return null;
  if (gitUrl === undefined) return 'The project names no repository.';
  return followChange(deps, { project, gitUrl, connection: current, connected }, delivery, patience);
}

/**
 * The project, where the delivery is of its repository: by the name, or by the host's id of it where it was renamed.
 * Then its new name is noted.
 */
async function recogniseRepository(
  deps: GitWorkerDeps,
  project: ProjectDocument,
  connection: GitConnection,
  delivery: Exclude<GitDelivery, { kind: 'nothing' }>,
): Promise<ProjectDocument | null> {
  const { repository } = delivery;
  const connected = connectedWith(project.settings);
  if (!connected) return null;
  // An id that was learned of another connection would give the project back to its former repository.
  const { repositoryId } = await deps.gitState.read(project, connected);
  if (isSameRepository(repository.name, connection.repository)) {
    if (repository.id === undefined) return project;
    // A name that has become free is anybody's who may make repositories beside it.
    if (repositoryId !== undefined && repositoryId !== repository.id) {
      const details = { host: connection.host, repository: connection.repository };
      await noteFault(deps, project.projectId, { code: 'GIT_REPOSITORY_REPLACED', details });
      return null;
    }
    await deps.gitState.learnRepository(project, connected, repository.id);
    return project;
  }
  const isRenamed =
    repositoryId === undefined
      ? delivery.kind === 'renamed' && isSameRepository(delivery.formerName ?? '', connection.repository)
      : repository.id === repositoryId;
  return isRenamed ? renameRepository(deps, project, connected, repository.name) : null;
}

async function followChange(
  deps: GitWorkerDeps,
  of: Followed,
  delivery: RefDelivery,
  patience: Patience,
): Promise<string | null> {
  const { project, connection, gitUrl } = of;
  const isFork = delivery.kind === 'pullRequest' && delivery.isFork;
  const source = isFork ? urlOfSibling(gitUrl, connection.repository, delivery.from.name) : gitUrl;
  if (source === null) return 'Where the fork is cannot be told from the address of the project.';
  const ref = delivery.kind === 'push' ? delivery.ref : ({ kind: 'branch', name: delivery.branch } as const);
  const access: GitAccess = isFork ? { request: {} } : await readGitAccess(deps, project, source);
  // Who decides without asking the host is asked first: strangers must not make it read what nothing follows from.
  const rules = { ...connection, productionBranch: project.settings.productionBranch };
  const first = decideDelivery(delivery, {
    ...rules,
    productionBranch: rules.productionBranch ?? pushedBranch(delivery),
  });
  const readTip = () => askTip(deps, { gitUrl: source, ref, gitToken: access.token }, patience);
  if (delivery.kind === 'push' && delivery.commit !== null && asksForNothing(delivery.message))
    await deps.gitState.noteSkipped(project, of.connected, delivery.commit);
  if (first.kind !== 'deploy') return end(deps, of, delivery, first, async () => !(await readTip())?.commit, patience);
  const tip = await readTip();
  const productionBranch = rules.productionBranch ?? tip?.defaultBranch ?? undefined;
  // Only pushes of branches are production's or not by the name of the branch.
  const isPlaced = productionBranch !== undefined || pushedBranch(delivery) === undefined;
  if (!isPlaced) waitForHost(patience);
  const decided = decideDelivery(delivery, { ...rules, productionBranch });
  if (decided.kind !== 'deploy') return decided.kind === 'nothing' ? decided.reason : null;
  const chosen = chooseCommit(delivery, tip, { ...patience, isPlaced });
  if ('reason' in chosen) return chosen.reason;
  const state = await deps.gitState.read(project, of.connected);
  if (chosen.commit !== delivery.commit && state.skipped?.includes(chosen.commit))
    return 'The message of the newest commit asks not to deploy it.';
  return deploy(deps, of, delivery, decided, { ...chosen, source, access, isPlaced });
}

/** The host alone knows whether it is the default branch. */
const pushedBranch = (delivery: RefDelivery) =>
  delivery.kind === 'push' && delivery.ref.kind === 'branch' ? delivery.ref.name : undefined;

/** Branches have previews by their pushes, with or without a pull request. */
const showsBranches = ({ previews = 'branches' }: GitConnection) => previews === 'branches';

/** What ends without a deployment. */
async function end(
  deps: GitWorkerDeps,
  { project, connection, connected }: Followed,
  delivery: RefDelivery,
  decision: Exclude<GitDecision, { kind: 'deploy' }>,
  isDeleted: () => Promise<boolean>,
  patience: Patience,
): Promise<string | null> {
  if (decision.kind === 'nothing') return decision.reason;
  if (decision.kind === 'rename') return null;
  const { projectId, owner } = project;
  const { branch } = decision;
  if (delivery.kind === 'push' && !(await isDeleted())) {
    waitForHost(patience);
    return 'The branch is there again.';
  }
  if (delivery.kind === 'pullRequest') {
    const { isFork, number } = delivery;
    if (isFork) await deps.gitState.release(project, connected, number);
    else if (await deps.gitState.hide(project, connected, number, branch))
      return 'Another pull request shows the branch.';
    else if (showsBranches(connection) && !(await isDeleted()))
      return 'The branch is still there, and has a preview of its own.';
  }
  await deps.gitState.noteClosing(project, connected, branch, deps.newId());
  await closeBranch(deps, { projectId, owner, branch });
  deps.log.info('A preview was closed', { projectId, branch });
  return null;
}

type Found = Exclude<Chosen, { reason: string }> & {
  readonly source: string;
  readonly access: GitAccess;
  readonly isPlaced: boolean;
};

async function deploy(
  deps: GitWorkerDeps,
  { project, connection, connected }: Followed,
  delivery: RefDelivery,
  decision: Deploy,
  { commit, isUnseen = false, source, access, isPlaced }: Found,
): Promise<string | null> {
  const { projectId, owner } = project;
  const environment = isPlaced ? decision.environment : undefined;
  const state = await deps.gitState.read(project, connected);
  const target: GitTarget = {
    ...{ projectId, gitUrl: source, commit, isUnseen, ...access.request, environment },
    ...{ untrusted: decision.untrusted, ref: decision.ref },
    // Only previews are closed.
    closing: environment === 'preview' ? findClosing(state, decision.ref.name) : undefined,
    trigger: triggerOf(delivery, connection),
  };
  if (delivery.kind === 'pullRequest' && (await mustWait(deps, { project, connected }, delivery, decision, target)))
    return null;
  if (delivery.kind === 'pullRequest' && !delivery.isFork)
    await deps.gitState.show(project, connected, delivery.number, delivery.branch);
  const { deploymentId } = await deployCommit(deps, owner, target, deps.newId());
  // A push has often deployed the commit before; then the record names no pull request.
  if (delivery.kind === 'pullRequest') {
    const { number } = delivery;
    await queueReport(deps, { projectId, owner, deploymentId, number, revision: `pull-${number}` });
  }
  return null;
}

/** Puts a stranger's commit before the members, unless one has approved it. @returns true where it waits */
async function mustWait(
  deps: GitWorkerDeps,
  { project, connected }: Pick<Followed, 'project' | 'connected'>,
  { number, from, branch, title, author }: Extract<RefDelivery, { kind: 'pullRequest' }>,
  { needsApproval }: Deploy,
  { commit, gitUrl }: GitTarget,
): Promise<boolean> {
  if (!needsApproval) return false;
  const { projectId, owner } = project;
  if (isApproved(await deps.gitState.read(project, connected), { number, commit, gitUrl })) {
    // What was held before is an earlier commit.
    await deps.gitState.release(project, connected, number);
    return false;
  }
  const at = new Date(deps.clock.now()).toISOString();
  await deps.gitState.hold(project, connected, {
    ...{ number, commit, gitUrl, from: from.name, branch, at },
    ...(title !== undefined && { title }),
    ...(author !== undefined && { author }),
  });
  await queueHeldReport(deps, { projectId, owner, number, commit });
  deps.log.info('A pull request of a fork waits for a member', { projectId, number, commit });
  return true;
}

function triggerOf(delivery: RefDelivery, { host, repository }: GitConnection): Trigger {
  const by = delivery.kind === 'push' ? delivery.pusher : delivery.author;
  return {
    ...{ kind: delivery.kind, host, repository },
    ...(delivery.kind === 'pullRequest' && { number: delivery.number, isFork: delivery.isFork }),
    ...(by !== undefined && { by }),
  };
}
