import type { WatcherDeps } from '../../../lambdas/task-watcher/reconcile.ts';
import { watchTasks } from '../../../lambdas/task-watcher/watch.ts';

/** What ECS was asked. */
async function askedAt(lastStatus: string): Promise<string[]> {
  const asked: string[] = [];
  const ecs = {
    send: async (command: object) => {
      asked.push(command.constructor.name);
      return { tasks: [] };
    },
  };
  // What is asked of anything else here would be a mistake: it is not there.
  await watchTasks({ ecs } as unknown as WatcherDeps, {
    source: 'aws.ecs',
    'detail-type': 'ECS Task State Change',
    detail: { taskArn: 'task', clusterArn: 'cluster', lastStatus },
  });
  return asked;
}

test.each(['PROVISIONING', 'PENDING', 'RUNNING', 'DEPROVISIONING'])('a task that is %s is no news', async (status) => {
  expect(await askedAt(status)).toEqual([]);
});

test('a task that has stopped is looked at as ECS has it now', async () => {
  expect(await askedAt('STOPPED')).toEqual(['DescribeTasksCommand']);
});
