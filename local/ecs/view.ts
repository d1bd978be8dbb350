import { randomUUID } from 'node:crypto';
import { DEFAULT_REGION } from '../../contract/names.ts';
import { LOCAL_ACCOUNT } from '../awsProtocol/credentials.ts';
import { clusterArn, containerArn, taskArn, taskDefinitionArn } from './arns.ts';
import type { ContainerOverride, TaskRecord } from './task.ts';

/** Source: ECS developer guide, "Amazon ECS task state change events". */
export interface TaskStateChange {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'ECS Task State Change';
  readonly source: 'aws.ecs';
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: ReturnType<typeof taskView<string>>;
}

/** A task as in ECS's answers and events, which differ in the form of times. */
function taskView<Time>(task: TaskRecord, overrides: readonly ContainerOverride[], time: (ms: number) => Time) {
  const { id, cluster, family } = task;
  const timeField = <Name extends string>(name: Name, ms: number | undefined) =>
    (ms === undefined ? {} : { [name]: time(ms) }) as { [K in Name]?: Time };
  const arn = taskArn(cluster, id);
  return {
    taskArn: arn,
    clusterArn: clusterArn(cluster),
    taskDefinitionArn: taskDefinitionArn(family),
    containers: [
      {
        containerArn: containerArn(cluster, id),
        taskArn: arn,
        name: task.containerName,
        lastStatus: task.lastStatus === 'RUNNING' || task.lastStatus === 'STOPPED' ? task.lastStatus : 'PENDING',
        networkInterfaces: [],
        cpu: String(task.cpu),
        ...(task.exitCode !== undefined && { exitCode: task.exitCode }),
        ...(task.containerReason !== undefined && { reason: task.containerReason }),
      },
    ],
    overrides: { containerOverrides: overrides },
    attachments: [],
    attributes: [],
    availabilityZone: `${DEFAULT_REGION}a`,
    connectivity: 'CONNECTED',
    cpu: String(task.cpu),
    memory: String(task.memory),
    group: task.group,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    version: task.version,
    ...(task.capacityProvider && { capacityProviderName: task.capacityProvider }),
    ...(task.startedBy !== undefined && { startedBy: task.startedBy }),
    ...timeField('createdAt', task.createdAt),
    ...timeField('pullStartedAt', task.pullStartedAt),
    ...timeField('pullStoppedAt', task.startedAt),
    ...timeField('startedAt', task.startedAt),
    ...timeField('stoppingAt', task.stoppingAt),
    ...timeField('stoppedAt', task.stoppedAt),
    ...timeField('executionStoppedAt', task.stoppedAt),
    ...(task.stopCode && { stopCode: task.stopCode }),
    ...(task.stoppedReason !== undefined && { stoppedReason: task.stoppedReason }),
  };
}

/** For the answers of JSON 1.1, where a time is seconds since the epoch. */
export const taskAnswer = (task: TaskRecord, overrides: readonly ContainerOverride[]) => ({
  ...taskView(task, overrides, (ms) => ms / 1_000),
  tags: task.tags,
});

export function taskStateChange(
  task: TaskRecord,
  overrides: readonly ContainerOverride[],
  now: number,
): TaskStateChange {
  const detail = taskView(task, overrides, (ms) => new Date(ms).toISOString());
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    account: LOCAL_ACCOUNT,
    time: new Date(now).toISOString(),
    region: DEFAULT_REGION,
    resources: [detail.taskArn],
    detail: { ...detail, updatedAt: new Date(now).toISOString() } as TaskStateChange['detail'],
  };
}
