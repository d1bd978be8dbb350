import type { Service, Task } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../../../../contract/errors.ts';
import { type ServiceVersionId, serviceVersionText } from '../../../../../../contract/services.ts';
import type { ServiceVersion } from '../../../../services/servicePort.ts';
import { type AlwaysOnAccess, type AlwaysOnSettings, isNamed, unless } from './access.ts';
import { CONTAINER } from './taskDefinition.ts';

/** Tags of a service that say what happened to it. */
export const TAGS = { healthy: 'veren:healthy', production: 'veren:production' } as const;
/** The least and the most tasks of a version while production shows it: `1-2`. */
const TASKS = 'veren:tasks';
export function rangeOf({ tags = [] }: Service): [number, number] {
  const [min = '1', max = min] = (tags.find(({ key }) => key === TASKS)?.value ?? '').split('-').filter(Boolean);
  return [Number(min), Number(max)];
}
export const isTagged = ({ tags = [] }: Service, key: string): boolean =>
  tags.some((tag) => tag.key === key && tag.value === 'true');

/** At most this many services are described by a call. */
const MAX_DESCRIBED = 10;

export const serviceName = (projectId: string, id: ServiceVersionId): string =>
  `${projectId}--${serviceVersionText(id)}`;

/** Services of these names that are there, in any order. */
export async function findServices(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { names }: Pick<AlwaysOnSettings, 'names'>,
  wanted: readonly string[],
): Promise<Service[]> {
  const { DescribeServicesCommand } = await import('@aws-sdk/client-ecs');
  const found: Service[] = [];
  for (let at = 0; at < wanted.length; at += MAX_DESCRIBED) {
    const { services = [] } = await ecs.send(
      new DescribeServicesCommand({
        cluster: names.cluster,
        services: wanted.slice(at, at + MAX_DESCRIBED),
        include: ['TAGS'],
      }),
    );
    found.push(...services.filter(({ status }) => status === 'ACTIVE'));
  }
  return found;
}

interface ServicePlan {
  readonly taskDefinition: string;
  readonly targetGroupArn: string;
}

/** Makes the ECS service of a version, with one task. Of two callers the first one counts. */
export async function ensureService(
  access: Pick<AlwaysOnAccess, 'ecs'>,
  settings: AlwaysOnSettings,
  version: ServiceVersion,
  { taskDefinition, targetGroupArn }: ServicePlan,
): Promise<void> {
  const { CreateServiceCommand } = await import('@aws-sdk/client-ecs');
  const { names, subnetIds, taskGroupId, openGroupIds, attachedGroupId } = settings;
  const name = serviceName(version.projectId, version);
  const securityGroups = [taskGroupId, ...(version.settings.vpc ? [attachedGroupId] : openGroupIds)];
  const create = new CreateServiceCommand({
    ...{ cluster: names.cluster, serviceName: name, taskDefinition, desiredCount: 1 },
    launchType: 'FARGATE',
    deploymentConfiguration: {
      // There is no earlier deployment of a version that it could roll back to.
      deploymentCircuitBreaker: { enable: true, rollback: false },
      minimumHealthyPercent: 100,
      maximumPercent: 200,
    },
    networkConfiguration: {
      awsvpcConfiguration: { subnets: [...subnetIds], securityGroups, assignPublicIp: 'DISABLED' },
    },
    loadBalancers: [{ targetGroupArn, containerName: CONTAINER, containerPort: version.port }],
    healthCheckGracePeriodSeconds: version.settings.healthSeconds,
    tags: [{ key: TASKS, value: `${version.settings.minTasks}-${version.settings.maxTasks}` }],
    enableExecuteCommand: false,
  });
  try {
    await access.ecs.send(create);
  } catch (error) {
    if (isNamed('InvalidParameterException')(error) && /idempotent/i.test((error as Error).message)) return;
    if (isNamed('InvalidParameterException')(error) && /draining/i.test((error as Error).message))
      throw new VerenError('SERVICE_START_FAILED', { reason: 'what was there before is still being removed' });
    throw error;
  }
}

export async function tagService(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { serviceArn }: Service,
  key: string,
  value: 'true' | 'false',
): Promise<void> {
  const { TagResourceCommand } = await import('@aws-sdk/client-ecs');
  await ecs.send(new TagResourceCommand({ resourceArn: serviceArn, tags: [{ key, value }] }));
}

/** Sets the number of tasks, without waiting for them. */
export async function setDesired(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { names }: AlwaysOnSettings,
  service: string,
  desiredCount: number,
): Promise<void> {
  const { UpdateServiceCommand } = await import('@aws-sdk/client-ecs');
  await ecs.send(new UpdateServiceCommand({ cluster: names.cluster, service, desiredCount }));
}

export async function removeService(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { names }: AlwaysOnSettings,
  service: string,
): Promise<void> {
  const { DeleteServiceCommand } = await import('@aws-sdk/client-ecs');
  await unless(
    isNamed('ServiceNotFoundException', 'ServiceNotActiveException'),
    ecs.send(new DeleteServiceCommand({ cluster: names.cluster, service, force: true })),
  );
}

/** Tasks of a service that have ended since then (milliseconds), newest first. ECS forgets them after an hour. */
export async function endedTasks(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { names }: AlwaysOnSettings,
  service: string,
  since: number,
): Promise<Task[]> {
  const { DescribeTasksCommand, ListTasksCommand } = await import('@aws-sdk/client-ecs');
  const { cluster } = names;
  const { taskArns = [] } = await ecs.send(
    new ListTasksCommand({ cluster, serviceName: service, desiredStatus: 'STOPPED' }),
  );
  if (taskArns.length === 0) return [];
  const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns.slice(0, 100) }));
  const createdAt = (task: Task) => task.createdAt?.getTime() ?? 0;
  return tasks.filter((task) => createdAt(task) >= since).sort((a, b) => createdAt(b) - createdAt(a));
}
