import { createHash } from 'node:crypto';
import { VerenError } from '../../contract/errors.ts';
import type { DeliveryJob, GitConnection, GitDelivery } from '../../contract/gitHosts.ts';
import { QUEUES } from '../../contract/names.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import { decideDelivery } from '../../lambdas/domain/gitDecision.ts';
import type { FaultDeps } from '../../lambdas/shared/gitHosts/gitFault.ts';
import type { GitSecretStore } from '../../lambdas/shared/gitHosts/gitSecrets.ts';
import { connectedWith } from '../../lambdas/shared/gitHosts/gitState.ts';
import type { ProjectDocuments } from '../../lambdas/shared/gitHosts/projectDocuments.ts';
import { readGitToken } from '../../lambdas/shared/gitHosts/readGitToken.ts';
import type { Log } from '../../lambdas/shared/logger.ts';
import type { FunctionWaker, JobQueue } from '../../lambdas/shared/ports.ts';
import type { ListedRefs, ListRefs } from '../../lambdas/shared/repo/listRefs.ts';
import type { ReadMessage } from '../../lambdas/shared/repo/readMessage.ts';
import { applyChanges, compareRefs, type RefChange, readSeen, writeSeen } from './seenRefs.ts';

export interface LookDeps extends FaultDeps {
  readonly queue: Pick<JobQueue, 'enqueue'>;
  readonly waker: FunctionWaker;
  readonly documents: ProjectDocuments;
  readonly secrets: Pick<GitSecretStore, 'read'>;
  readonly listRefs: ListRefs;
  readonly readMessage: ReadMessage;
  readonly log: Log;
}

/** A project whose repository is watched. */
export interface Watched {
  readonly project: ProjectDocument;
  readonly connection: GitConnection;
  readonly gitUrl: string;
}

/** The project as one that is watched; null where it is not. */
export function asWatched(project: ProjectDocument): Watched | null {
  const { connection, gitUrl } = project.settings;
  return connection?.watch && gitUrl !== undefined && !project.deleting ? { project, connection, gitUrl } : null;
}

/** Changes that are told at one look: of a thousand new branches each is read once, a few at a time. */
const MAX_CHANGES = 20;
/** How long the message of one commit is waited for. */
const MESSAGE_MS = 5_000;

/**
 * Looks at a repository and puts what has changed since the last look into the queue of deliveries, as the pushes that a
 * host would have told. The first look tells the production branch alone. Throws where the repository cannot be read, or
 * has lost all of its refs, which nobody does on purpose.
 * @returns How many changes there were.
 */
export async function lookAtRepository(deps: LookDeps, watched: Watched, signal: AbortSignal): Promise<number> {
  const { project, connection, gitUrl } = watched;
  const of = connectedWith(project.settings)!;
  const gitToken = await readGitToken(deps, project, gitUrl);
  const listed = await deps.listRefs({ gitUrl, gitToken }, signal);
  const seen = await readSeen(deps.documents, project, of);
  if (listed.refs.length === 0 && (seen?.refs.length ?? 0) > 0) throw new VerenError('REPO_EMPTY', { url: gitUrl });
  const productionBranch = project.settings.productionBranch ?? listed.defaultBranch ?? undefined;
  const { changes, refs } = findChanges(listed, seen?.refs ?? null, productionBranch);
  if (seen && changes.length === 0) return 0;
  const round = (seen?.round ?? 0) + 1;
  let told = 0;
  for (const change of changes) {
    const push: PushDelivery = { kind: 'push', repository: { name: connection.repository, gitUrl }, ...change };
    const decision = decideDelivery(push, { ...connection, productionBranch });
    if (decision.kind === 'nothing') continue;
    const message = change.commit && (await readMessage(deps, { gitUrl, commit: change.commit, gitToken }, signal));
    await enqueue(deps, watched, { ...push, ...(message && { message }) }, round);
    told++;
  }
  await writeSeen(deps.documents, project, { v: 1, of, round, refs });
  if (told > 0) await deps.waker.wake('git-worker');
  return changes.length;
}

/** Undefined where it cannot be read: one commit that is damaged, or slow, holds up no other branch. */
async function readMessage(
  { readMessage: read, log }: LookDeps,
  of: Parameters<ReadMessage>[0],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await read(of, AbortSignal.any([signal, AbortSignal.timeout(MESSAGE_MS)]));
  } catch (error) {
    signal.throwIfAborted();
    log.warn('The message of a commit could not be read, so it is deployed whatever it says', { error });
    return undefined;
  }
}

/** What is told, and the refs as they are seen then. */
function findChanges({ refs }: ListedRefs, before: ListedRefs['refs'] | null, productionBranch: string | undefined) {
  if (before !== null) {
    const changes = compareRefs(before, refs).slice(0, MAX_CHANGES);
    return { changes, refs: applyChanges(before, changes) };
  }
  const isProduction = ({ ref }: RefChange) => ref.kind === 'branch' && ref.name === productionBranch;
  return { changes: compareRefs([], refs).filter(isProduction), refs: [...refs] };
}

type PushDelivery = Extract<GitDelivery, { kind: 'push' }>;

/** Once for each round: whoever looks again after a crash tells nothing twice. */
async function enqueue(
  { queue, clock }: LookDeps,
  { project: { projectId, owner, addressKey }, connection: { host } }: Watched,
  delivery: PushDelivery,
  round: number,
): Promise<void> {
  const { ref, commit } = delivery;
  const named = JSON.stringify(['watch', projectId, addressKey, round, ref.kind, ref.name, commit]);
  const id = createHash('sha256').update(named).digest('hex');
  const data: DeliveryJob = { projectIds: [projectId], owner, host, delivery, receivedAt: clock.now() };
  await queue.enqueue(QUEUES.delivery, { id, data, owner, projectId });
}
