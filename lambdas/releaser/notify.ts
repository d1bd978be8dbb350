import type { ProjectDocument } from '../../contract/project.ts';
import type { ServerMessage } from '../../contract/websocket.ts';
import { queueReport } from '../shared/gitHosts/queueReport.ts';
import { showsRelease } from '../shared/gitHosts/showsRelease.ts';
import { queueNotice } from '../shared/notifications/queueNotice.ts';
import type { FunctionWaker, JobQueue } from '../shared/ports.ts';
import { type TellDeps, tellSubscribers } from '../shared/tellSubscribers.ts';

interface NotifyDeps extends TellDeps {
  readonly queue: JobQueue;
  readonly waker: FunctionWaker;
}

/**
 * Tells who has subscribed to the project, its addresses outside, and GitHub's environments.
 * @param releaseId What has just been made. A repeat does no harm.
 */
export async function notifyRelease(deps: NotifyDeps, project: ProjectDocument, releaseId: string): Promise<void> {
  const { projectId, owner, release, pinned } = project;
  const { connection } = project.settings;
  if (release && release.releaseId === releaseId && connection?.app && connection.environments !== false) {
    const revision = `release-${releaseId}`;
    await queueReport(deps, { projectId, owner, deploymentId: showsRelease(release), releaseId, revision });
  }
  if (project.notifications?.length) await queueNotice(deps, { kind: 'release', projectId, owner, releaseId });
  const told: ServerMessage = { type: 'release', projectId, release, pinned: pinned !== null };
  await tellSubscribers(deps, [`project:${projectId}`], project, () => JSON.stringify(told));
}
