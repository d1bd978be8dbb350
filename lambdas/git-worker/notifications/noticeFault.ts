import type { VerenError } from '../../../contract/errors.ts';
import type { StoredNotification } from '../../../contract/notifications.ts';
import type { NotificationDeps } from './deps.ts';

type Deps = Pick<NotificationDeps, 'projects' | 'clock'>;
interface Named {
  readonly projectId: string;
  readonly notificationId: string;
}

/** Changes one address of a project, if it is there still. */
export async function changeNotification(
  { projects }: Deps,
  { projectId, notificationId }: Named,
  change: (before: StoredNotification) => StoredNotification,
): Promise<void> {
  await projects.change(projectId, (project) => {
    const before = project.notifications?.find(({ id }) => id === notificationId);
    const after = before && change(before);
    if (after === before) return project;
    return { ...project, notifications: project.notifications!.map((one) => (one === before ? after! : one)) };
  });
}

/** Keeps with the address what its user can do something about. */
export const noteNoticeFault = (
  deps: Deps,
  of: Named,
  describe: (one: StoredNotification) => VerenError,
): Promise<void> =>
  changeNotification(deps, of, (before) => {
    const { code, message } = describe(before);
    if (before.fault?.code === code && before.fault.message === message) return before;
    return { ...before, fault: { code, message, at: new Date(deps.clock.now()).toISOString() } };
  });

/** Something has arrived. */
export const clearNoticeFault = (deps: Deps, of: Named): Promise<void> =>
  changeNotification(deps, of, ({ fault: _fault, failures: _failures, waitUntil: _until, ...rest }) => rest);
