import { drainDeliveries } from './deliveries/drainDeliveries.ts';
import type { GitWorkerDeps } from './deps.ts';
import { drainNotifications } from './notifications/drainNotifications.ts';
import { drainReports } from './reports/drainReports.ts';

/**
 * Works on what hosts have told, on what they are to be told and on what other addresses are, all at once, since an outage
 * of one may hold up no other. Safe to run in several processes.
 * @returns True where no job was left.
 */
export async function drainGitQueues(deps: GitWorkerDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> {
  const runs = await Promise.allSettled([
    drainDeliveries(deps, mayTakeMore),
    drainReports(deps, mayTakeMore),
    drainNotifications(deps, mayTakeMore),
  ]);
  // Waits for all: an exception ends the invocation, and Lambda would freeze the process in the middle of a job.
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  return runs.every((run) => run.status === 'fulfilled' && run.value);
}
