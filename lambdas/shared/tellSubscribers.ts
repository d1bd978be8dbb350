import { mayUseProject } from '../../contract/people.ts';
import type { Log } from './logger.ts';
import type { Notifier, Subject, Subscriptions } from './ports.ts';

export interface TellDeps {
  readonly subscriptions: Subscriptions;
  readonly notifier: Notifier;
  readonly log: Log;
}

/**
 * Sends a message to who has subscribed to any of the subjects and may still see the project: its name may have gone to
 * another owner since. Connections that are closed are removed; one that cannot be reached holds nobody else back.
 */
export async function tellSubscribers(
  { subscriptions, notifier, log }: TellDeps,
  subjects: readonly Subject[],
  { owner, projectId }: { readonly owner: string; readonly projectId: string },
  message: () => string,
): Promise<void> {
  const connections = await subscriptions.subscribers(subjects);
  if (connections.length === 0) return;
  const text = message();
  await Promise.all(
    connections.map(async (id) => {
      try {
        const caller = await subscriptions.callerOf(id);
        if (caller && (caller.owner !== owner || !mayUseProject(caller, projectId))) return;
        if ((await notifier.send(id, text)) === 'gone') await subscriptions.disconnect(id);
      } catch (error) {
        log.warn('A subscriber could not be notified', { connectionId: id, error });
      }
    }),
  );
}
