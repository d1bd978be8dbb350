import { DescribeTasksCommand, type Task } from '@aws-sdk/client-ecs';
import { z } from 'zod';
import { reconcile, type WatcherDeps } from './reconcile.ts';
import { sweep } from './sweep.ts';

const TaskStateChange = z.object({
  source: z.literal('aws.ecs'),
  'detail-type': z.literal('ECS Task State Change'),
  detail: z.object({ taskArn: z.string(), clusterArn: z.string(), lastStatus: z.string() }),
});

/**
 * Both of the function's sources. A state change is taken as a hint only: events come late, twice and out of order, so
 * ECS is asked what is true now. That a task lives is told by who started it, and seen by the sweep: only its stop counts.
 * Anything else is the schedule.
 */
export async function watch(deps: WatcherDeps, event: unknown): Promise<void> {
  const change = TaskStateChange.safeParse(event);
  if (!change.success) return sweep(deps);
  const { taskArn, clusterArn, lastStatus } = change.data.detail;
  if (lastStatus !== 'STOPPED') return;
  const task = await describe(deps, clusterArn, taskArn);
  if (task) await reconcile(deps, task);
}

async function describe(deps: WatcherDeps, cluster: string, taskArn: string): Promise<Task | undefined> {
  const { tasks } = await deps.ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
  return tasks?.[0];
}
