import { drainDeliveries } from './deliveries/drainDeliveries.ts';
import type { GitWorkerDeps } from './deps.ts';
import { drainReports } from './reports/drainReports.ts';

/**
 * Works on what hosts have told and on what they are to be told, both at once, since an outage of a host may hold up no
 * delivery. Safe to run in several processes.
 * @returns True where no job was left.
 */
export async function drainGitQueues(deps: GitWorkerDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> {
  const runs = await Promise.allSettled([drainDeliveries(deps, mayTakeMore), drainReports(deps, mayTakeMore)]);
  // Waits for both: an exception ends the invocation, and Lambda would freeze the process in the middle of a job.
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  return runs.every((run) => run.status === 'fulfilled' && run.value);
}
