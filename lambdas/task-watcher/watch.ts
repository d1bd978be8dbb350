import type { Task } from '@aws-sdk/client-ecs';
import { z } from 'zod';
import { reconcileTask, type WatcherDeps } from './reconcile.ts';
import { sweepBuilds } from './sweep.ts';

const TaskStateChange = z.object({
  source: z.literal('aws.ecs'),
  'detail-type': z.literal('ECS Task State Change'),
  detail: z.object({ taskArn: z.string(), clusterArn: z.string(), lastStatus: z.string() }),
});

/** Whether an event is ECS's; any other one is the schedule. */
export const isStateChange = (event: unknown): boolean => TaskStateChange.safeParse(event).success;

/**
 * Handles both sources of the function. A state change is only a hint, since these events may come late, twice and out
 * of order, so ECS is asked for the present state. Only stops matter here: the build-worker publishes starts, and the
 * sweep sees running tasks. Any other event is the schedule.
 */
export async function watchTasks(deps: WatcherDeps, event: unknown): Promise<void> {
  const change = TaskStateChange.safeParse(event);
  if (!change.success) return sweepBuilds(deps);
  const { taskArn, clusterArn, lastStatus } = change.data.detail;
  if (lastStatus !== 'STOPPED') return;
  const task = await describeTask(deps, clusterArn, taskArn);
  if (task) await reconcileTask(deps, task);
}

async function describeTask(deps: WatcherDeps, cluster: string, taskArn: string): Promise<Task | undefined> {
  const { DescribeTasksCommand } = await import('@aws-sdk/client-ecs');
  const { tasks } = await deps.ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
  return tasks?.[0];
}
