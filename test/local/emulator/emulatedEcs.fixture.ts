import { randomUUID } from 'node:crypto';
import { clusterArn, nameOf, taskArn, taskDefinitionArn } from '../../../local/ecs/arns.ts';
import { httpDouble } from '../../support/httpDouble.ts';

interface Emulated {
  taskArn: string;
  desiredStatus: 'RUNNING' | 'STOPPED';
  [more: string]: unknown;
}

/**
 * ECS as MiniStack 1.5.33 has it without Docker: a task is RUNNING from the first moment, nothing runs, and StopTask makes it
 * STOPPED at once, with exit code 0.
 */
export async function emulatedEcs() {
  const tasks: Emulated[] = [];
  let clusters = ['builder', 'backend-builder'];
  const operations: Record<
    string,
    (input: { cluster: string; task?: string; tasks?: string[]; desiredStatus?: string; reason?: string }) => object
  > = {
    ListTasks: ({ cluster, desiredStatus }) => ({
      taskArns: tasks
        .filter((t) => t.clusterArn === clusterArn(cluster) && t.desiredStatus === desiredStatus)
        .map((t) => t.taskArn),
    }),
    DescribeTasks: (input) => ({ tasks: tasks.filter((t) => input.tasks?.includes(t.taskArn)), failures: [] }),
    StopTask: ({ task, reason }) => {
      const found = tasks.find((t) => t.taskArn === task)!;
      if (found.desiredStatus === 'RUNNING')
        Object.assign(found, {
          desiredStatus: 'STOPPED',
          lastStatus: 'STOPPED',
          stopCode: 'UserInitiated',
          stoppedReason: reason,
          stoppedAt: Date.now() / 1_000,
          containers: (found.containers as object[]).map((c) => ({ ...c, lastStatus: 'STOPPED', exitCode: 0 })),
        });
      return { task: found };
    },
  };
  const http = await httpDouble(({ headers, body }) => {
    const operation = String(headers['x-amz-target']).split('.')[1]!;
    const input = JSON.parse(body);
    const answer = (status: number, value: object) => ({
      status,
      headers: { 'Content-Type': 'application/x-amz-json-1.1' },
      body: JSON.stringify(value),
    });
    if (!clusters.includes(nameOf(input.cluster)))
      return answer(400, { __type: 'ClusterNotFoundException', message: 'Cluster not found.' });
    return answer(200, operations[operation]!({ ...input, cluster: nameOf(input.cluster) }));
  });
  return {
    ...http,
    tasks,
    called: (operation: string) =>
      http.requests.filter((r) => String(r.headers['x-amz-target']).endsWith(`.${operation}`)).length,
    setClusters: (names: string[]) => {
      clusters = names;
    },
    /** Records a task that runs a shell script. */
    runTask(script: string, { family = 'shell', container = 'shell-container' } = {}): string {
      const arn = taskArn('builder', randomUUID());
      tasks.push({
        taskArn: arn,
        clusterArn: clusterArn('builder'),
        taskDefinitionArn: taskDefinitionArn(family),
        desiredStatus: 'RUNNING',
        lastStatus: 'RUNNING',
        startedBy: 'token',
        startedAt: Date.now() / 1_000,
        containers: [{ name: container, lastStatus: 'RUNNING', exitCode: null }],
        overrides: { containerOverrides: [{ name: container, environment: [{ name: 'SCRIPT', value: script }] }] },
      });
      return arn;
    },
  };
}
