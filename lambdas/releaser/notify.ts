import type { ProjectDocument } from '../../contract/project.ts';
import type { ServerMessage } from '../../contract/websocket.ts';
import { type TellDeps, tellSubscribers } from '../shared/tellSubscribers.ts';

/** Tells who has subscribed to the project. A repeat does no harm. */
export async function notifyRelease(deps: TellDeps, project: ProjectDocument): Promise<void> {
  const { projectId, release, pinned } = project;
  const told: ServerMessage = { type: 'release', projectId, release, pinned: pinned !== null };
  await tellSubscribers(deps, [`project:${projectId}`], project, () => JSON.stringify(told));
}
