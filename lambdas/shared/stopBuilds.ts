import { TARGETS } from '../../contract/builders.ts';
import { buildJobId, cloneJobId, promotionJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { taskOf } from '../domain/buildJob.ts';
import type { EcsCalls } from './adapters/aws/clients.ts';
import type { JobQueue } from './ports.ts';

/** Removes a deployment's waiting jobs and asks ECS to stop its running tasks. Idempotent. */
export type StopBuilds = (deploymentId: string, reason: string) => Promise<void>;

/**
 * The job of a running task stays active: its slot is free when the task has stopped, not when StopTask was called. A
 * job between `claim` and RunTask has no task yet; the build-worker reads the record after RunTask and stops the task
 * itself.
 */
export function stopBuilds(deps: { queue: JobQueue; ecs: EcsCalls }): StopBuilds {
  return async (deploymentId, reason) => {
    await deps.queue.remove(QUEUES.clone, cloneJobId(deploymentId));
    // A promotion that has begun asks for the publication decision, as a builder does.
    await deps.queue.remove(QUEUES.promote, promotionJobId(deploymentId));
    for (const target of TARGETS) {
      const id = buildJobId(deploymentId, target);
      if ((await deps.queue.remove(QUEUES.build, id)) !== 'active') continue;
      const job = await deps.queue.get(QUEUES.build, id);
      const task = job && taskOf(job);
      if (task) await stopTask(deps.ecs, task.cluster, task.taskArn, reason);
    }
  };
}

/**
 * Calls StopTask, for which a task that no longer exists is no error. ECS shows `reason` as the task's stoppedReason.
 */
export async function stopTask(ecs: EcsCalls, cluster: string | undefined, taskArn: string, reason: string) {
  const { StopTaskCommand } = await import('@aws-sdk/client-ecs');
  try {
    await ecs.send(new StopTaskCommand({ cluster, task: taskArn, reason: reason.slice(0, 1_000) }));
  } catch (e) {
    if ((e as Error).name === 'InvalidParameterException') return;
    throw e;
  }
}
