import type { EcsCalls } from './adapters/aws/clients.ts';

/**
 * ARN of the task that a RunTask with this token has started, for callers that have not got RunTask's answer; null
 * where there is none, or where ECS does not show it yet. Of all filters only `desiredStatus` goes with `startedBy`
 * (ECS API reference, ListTasks).
 */
export async function findTask(ecs: EcsCalls, cluster: string, token: string): Promise<string | null> {
  const { ListTasksCommand } = await import('@aws-sdk/client-ecs');
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
    const { taskArns } = await ecs.send(new ListTasksCommand({ cluster, startedBy: token, desiredStatus }));
    if (taskArns?.[0] !== undefined) return taskArns[0];
  }
  return null;
}
