import { BUDGET_PERCENT, budgetPercent, monthOf } from '../../../contract/cost.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { taskOf } from '../../domain/buildJob.ts';
import type { Log } from '../../shared/logger.ts';
import type { ClaimedJob, Clock, JobQueue } from '../../shared/ports.ts';
import type { CostStore } from '../../shared/projects/costStore.ts';
import type { ProjectStore } from '../../shared/projects/projectStore.ts';

/** After so long a slowed build looks again whether it may start. */
export const PACE_WAIT_MS = 30_000;

interface PaceDeps {
  readonly projects: Pick<ProjectStore, 'get'>;
  readonly costs: Pick<CostStore, 'sum'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The per cent of its project's budget that are spent, from where builds are slowed on; undefined: at full speed. */
export type ReadPace = (job: BuildJob) => Promise<number | undefined>;

/**
 * Throws BUDGET_SPENT where the project's budget lets this build not start. A fault of the accounts stops no build: the
 * budget saves money, and is no promise that anybody relies on.
 */
export const paceReader =
  ({ projects, costs, clock, log }: PaceDeps): ReadPace =>
  async ({ projectId, lane }) => {
    const month = monthOf(new Date(clock.now()).toISOString());
    let budget: { readonly monthlyUsd: number } | undefined;
    let percent = 0;
    try {
      budget = (await projects.get(projectId))?.settings.budget;
      if (budget) percent = budgetPercent(budget, (await costs.sum(projectId, month)).microUsd);
    } catch (error) {
      log.warn('The budget of a project could not be read, and its build starts all the same', { projectId, error });
      return undefined;
    }
    if (!budget || percent < BUDGET_PERCENT.slow) return undefined;
    const environment = lane === 'production' ? 'production' : 'preview';
    if (percent >= BUDGET_PERCENT.refuse[environment])
      throw new VerenError('BUDGET_SPENT', { percent, budget: budget.monthlyUsd, month, environment });
    return percent;
  };

/**
 * Whether another build of the project is before this one. Of two that were claimed at the same moment the older goes
 * first, so that they do not wait for each other.
 */
export async function mustWait(queue: JobQueue, job: ClaimedJob): Promise<boolean> {
  const active = await queue.list(QUEUES.build, 'active');
  return active.some(
    (other) => other.projectId === job.projectId && other.id !== job.id && (taskOf(other) || other.id < job.id),
  );
}
