import type { AlwaysOnAccess, AlwaysOnSettings } from '../../lambdas/shared/adapters/aws/services/alwaysOn/access.ts';
import { serviceNames } from '../../lambdas/shared/adapters/aws/services/resourceNames.ts';
import { type Behaviour, type Calls, clientOf, fault, LAMBDA_SETTINGS, serviceWorld } from './serviceDoubles.ts';

const LISTENER = 'arn:aws:elasticloadbalancing:ap-south-1:123456789012:listener/app/veren-dev-services/50dc6c/f2f7dc';
const ECS = 'arn:aws:ecs:ap-south-1:123456789012';
const CLUSTER = 'veren-dev-services';
const { boundaryArn, region, account, partition, logRetentionDays, network } = LAMBDA_SETTINGS;

export const ALWAYS_ON_SETTINGS: AlwaysOnSettings = {
  ...{ boundaryArn, region, account, partition, logRetentionDays },
  names: serviceNames('dev', region),
  listenerArn: LISTENER,
  vpcId: 'vpc-1',
  subnetIds: network.subnetIds,
  taskGroupId: 'sg-tasks',
  openGroupIds: ['sg-out-1', 'sg-out-2'],
  attachedGroupId: 'sg-attached',
  imagesArn: 'arn:aws:ecr:ap-south-1:123456789012:repository/my-backend',
};

interface Definition {
  family: string;
  cpu: string;
  memory: string;
  executionRoleArn: string;
  taskRoleArn?: string;
  containerDefinitions: {
    image: string;
    environment: { name: string; value: string }[];
    secrets: { name: string; valueFrom: string }[];
    logConfiguration: { options: Record<string, string> };
  }[];
}
interface Ecs {
  serviceName: string;
  taskDefinition: string;
  desiredCount: number;
  tags: { key: string; value: string }[];
  loadBalancers: { targetGroupArn: string }[];
  networkConfiguration: { awsvpcConfiguration: { securityGroups: string[]; assignPublicIp: string } };
}
interface Task {
  service: string;
  createdAt: Date;
  state: 'pending' | 'running' | 'stopped';
  stopCode?: string;
  stoppedReason?: string;
  containers?: object[];
}
interface TargetGroup {
  Name: string;
  TargetGroupArn: string;
  settings: string;
}
interface Rule {
  RuleArn: string;
  Priority: string;
  Conditions: { HttpHeaderConfig: { HttpHeaderName: string; Values: string[] } }[];
  Actions: { TargetGroupArn: string }[];
}

/** Source: ECS developer guide, "Task CPU and memory", in MiB. */
const SIZES: Record<string, (memory: number) => boolean> = {
  '256': (memory) => [512, 1_024, 2_048].includes(memory),
  '512': (memory) => memory >= 1_024 && memory <= 4_096 && memory % 1_024 === 0,
  '1024': (memory) => memory >= 2_048 && memory <= 8_192 && memory % 1_024 === 0,
  '2048': (memory) => memory >= 4_096 && memory <= 16_384 && memory % 1_024 === 0,
};
/** A task is placed, gets its image and runs; the balancer needs two good answers. */
const PLACED_MS = 10_000;
const HEALTHY_MS = 20_000;
/** Bad answers for as long as it takes ECS to end the task. */
const UNHEALTHY_MS = 40_000;

/**
 * ECS, the load balancer, scaling and parameters as far as services that are always on use them. It refuses what AWS refuses:
 * a service whose target group no rule leads to, names that are taken or still drained, full listeners, priorities in use,
 * groups that a rule leads to, sizes that Fargate has not, roles that are not there, targets without a service.
 */
export async function alwaysOnWorld({ maxRules = 100 } = {}) {
  const world = await serviceWorld();
  const { clock, iam, logs } = world;
  const definitions = new Map<string, Definition>();
  const inactive = new Map<string, Definition>();
  const services = new Map<string, Ecs>();
  const draining = new Set<string>();
  const tasks: Task[] = [];
  const groups = new Map<string, TargetGroup>();
  const rules: Rule[] = [];
  const targets = new Map<string, { min: number; max: number; rest?: string; policy?: boolean }>();
  const parameters = new Map<string, { Value: string; Tier: string }>();
  const behaviours = world.behaviours;
  let made = 0;

  const find = (name: string): Ecs => {
    const service = services.get(name);
    if (!service) throw fault('ServiceNotFoundException');
    return service;
  };
  const definitionOf = ({ taskDefinition }: Ecs) => definitions.get(taskDefinition) as Definition;
  const textOf = (service: string) => `${service.split('--').at(-1)}`;
  const behaviourOf = (service: string): Behaviour => behaviours.get(textOf(service)) ?? 'healthy';
  const livingTasks = (name: string) => tasks.filter((task) => task.service === name && task.state !== 'stopped');
  const write = (service: string, message: string) =>
    logs.groups.get(`/veren/dev/services/${service.split('--')[0]}`)?.events.push({
      ...{ timestamp: clock.now, message, eventId: String(made++).padStart(8, '0') },
      logStreamName: `${textOf(service)}/backend/0123abcd`,
    });

  /** What AWS does by itself, up to now. */
  function proceed(): void {
    for (const [name, target] of targets)
      if (target.rest !== undefined && Date.parse(`${target.rest}Z`) <= clock.now) {
        Object.assign(target, { min: 0, max: 0 });
        delete target.rest;
        const service = services.get(name);
        if (service) service.desiredCount = 0;
      }
    for (const [name, service] of services) {
      const living = livingTasks(name);
      for (const task of living.slice(service.desiredCount))
        Object.assign(task, { state: 'stopped', stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling' });
      for (let n = living.length; n < service.desiredCount; n++)
        tasks.push({ service: name, createdAt: new Date(clock.now), state: 'pending' });
    }
    for (const task of tasks) {
      const age = clock.now - task.createdAt.getTime();
      const service = services.get(task.service);
      if (task.state === 'stopped' || !service || age < PLACED_MS) continue;
      const [container] = definitionOf(service).containerDefinitions;
      const lost = container?.secrets.find(({ valueFrom }) => !parameters.has(`${valueFrom.split(':parameter')[1]}`));
      const behaviour = behaviourOf(task.service);
      if (lost)
        Object.assign(task, {
          state: 'stopped',
          stopCode: 'TaskFailedToStart',
          stoppedReason: `ResourceInitializationError: unable to pull secrets: ${lost.name}`,
        });
      else if (behaviour === 'exits') {
        write(task.service, 'no database\n');
        const containers = [{ name: 'backend', exitCode: 3 }];
        Object.assign(task, { state: 'stopped', stopCode: 'EssentialContainerExited', containers });
      } else if (behaviour !== 'healthy' && age > UNHEALTHY_MS)
        Object.assign(task, {
          state: 'stopped',
          stopCode: 'ServiceSchedulerInitiated',
          stoppedReason: 'Task failed ELB health checks',
        });
      else task.state = 'running';
    }
  }

  const ecsCalls: Calls = {
    RegisterTaskDefinitionCommand(input: Definition) {
      const role = [...iam.roles.values()].find(({ RoleName }) => input.executionRoleArn.endsWith(`/${RoleName}`));
      if (!role) throw fault('ClientException', 'Role is not valid');
      if (!SIZES[input.cpu]?.(Number(input.memory))) throw fault('ClientException', 'No Fargate configuration exists');
      if (Buffer.byteLength(JSON.stringify(input)) > 65_536) throw fault('ClientException', 'Actual length');
      const taskDefinitionArn = `${ECS}:task-definition/${input.family}:${++made}`;
      definitions.set(taskDefinitionArn, input);
      return { taskDefinition: { ...input, taskDefinitionArn } };
    },
    DescribeTaskDefinitionCommand: ({ taskDefinition }: Ecs) => ({ taskDefinition: definitions.get(taskDefinition) }),
    DeregisterTaskDefinitionCommand({ taskDefinition }: Ecs) {
      const found = definitions.get(taskDefinition);
      if (!found) throw fault('ClientException', 'not active');
      definitions.delete(taskDefinition);
      inactive.set(taskDefinition, found);
    },
    DeleteTaskDefinitionsCommand({ taskDefinitions }: { taskDefinitions: string[] }) {
      for (const arn of taskDefinitions) if (!inactive.delete(arn)) throw fault('ClientException', 'not inactive');
    },
    ListTaskDefinitionsCommand: ({ familyPrefix }: { familyPrefix: string }) => ({
      // In spite of its name it is the whole family.
      taskDefinitionArns: [...definitions]
        .flatMap(([arn, { family }]) => (family === familyPrefix ? [arn] : []))
        .reverse(),
    }),
    ListTaskDefinitionFamiliesCommand({ familyPrefix, nextToken = '0' }: { familyPrefix: string; nextToken?: string }) {
      const all = [...new Set([...definitions.values()].map(({ family }) => family))].filter((family) =>
        family.startsWith(familyPrefix),
      );
      const end = Number(nextToken) + 2;
      return { families: all.slice(Number(nextToken), end), ...(end < all.length && { nextToken: String(end) }) };
    },
    CreateServiceCommand(input: Ecs) {
      if (draining.delete(input.serviceName))
        throw fault('InvalidParameterException', 'Unable to Start a service that is still Draining.');
      if (services.has(input.serviceName))
        throw fault('InvalidParameterException', 'Creation of service was not idempotent.');
      if (!definitions.has(input.taskDefinition)) throw fault('ClientException', 'TaskDefinition is inactive');
      if (!/^[\w-]{1,255}$/.test(input.serviceName)) throw fault('InvalidParameterException', 'serviceName');
      const group = input.loadBalancers[0]?.targetGroupArn;
      if (!rules.some(({ Actions }) => Actions[0]?.TargetGroupArn === group))
        throw fault('InvalidParameterException', 'The target group does not have an associated load balancer.');
      if (input.networkConfiguration.awsvpcConfiguration.securityGroups.length > 5)
        throw fault('InvalidParameterException', 'securityGroups');
      services.set(input.serviceName, structuredClone(input));
    },
    UpdateServiceCommand({ service, desiredCount }: { service: string; desiredCount: number }) {
      find(service).desiredCount = desiredCount;
    },
    DeleteServiceCommand({ service }: { service: string }) {
      find(service);
      services.delete(service);
      for (const task of livingTasks(service))
        Object.assign(task, { state: 'stopped', stopCode: 'ServiceSchedulerInitiated' });
    },
    DescribeServicesCommand({ services: names }: { services: string[] }) {
      if (names.length > 10) throw fault('InvalidParameterException', 'at most 10 services');
      proceed();
      const found = names.flatMap((name) => services.get(name) ?? []);
      return {
        services: found.map((service) => ({
          ...{ ...service, status: 'ACTIVE', serviceArn: `${ECS}:service/${CLUSTER}/${service.serviceName}` },
          runningCount: livingTasks(service.serviceName).filter(({ state }) => state === 'running').length,
          events: [{ message: 'was unable to place a task' }],
        })),
      };
    },
    TagResourceCommand({ resourceArn, tags }: { resourceArn: string; tags: Ecs['tags'] }) {
      const service = find(`${resourceArn.split('/').pop()}`);
      service.tags = [...service.tags.filter(({ key }) => !tags.some((tag) => tag.key === key)), ...tags];
    },
    ListTasksCommand({ serviceName }: Ecs) {
      proceed();
      return {
        taskArns: tasks.flatMap((task, i) =>
          task.service === serviceName && task.state === 'stopped' ? [`${ECS}:task/${CLUSTER}/${i}`] : [],
        ),
      };
    },
    DescribeTasksCommand: ({ tasks: arns }: { tasks: string[] }) => ({
      tasks: arns.map((arn) => tasks[Number(arn.split('/').pop())]),
    }),
  };

  const balancerCalls: Calls = {
    CreateTargetGroupCommand({ Name, ...settings }: Record<string, string | number | object>) {
      if (!/^[a-zA-Z0-9-]{1,32}$/.test(`${Name}`)) throw fault('ValidationError', `${Name}`);
      if (Number(settings.HealthCheckTimeoutSeconds) >= Number(settings.HealthCheckIntervalSeconds))
        throw fault('InvalidConfigurationRequest', 'Health check timeout');
      const known = groups.get(`${Name}`);
      if (known && known.settings !== JSON.stringify(settings)) throw fault('DuplicateTargetGroupName');
      const TargetGroupArn = `arn:aws:elasticloadbalancing:ap-south-1:123456789012:targetgroup/${Name}/${++made}`;
      const group = known ?? { Name: `${Name}`, TargetGroupArn, settings: JSON.stringify(settings) };
      groups.set(`${Name}`, group);
      return { TargetGroups: [group] };
    },
    ModifyTargetGroupAttributesCommand: () => ({}),
    DescribeTargetGroupsCommand({ Names: [name = ''] }: { Names: string[] }) {
      const group = groups.get(name);
      if (!group) throw fault('TargetGroupNotFoundException');
      return { TargetGroups: [group] };
    },
    DeleteTargetGroupCommand({ TargetGroupArn }: TargetGroup) {
      if (rules.some(({ Actions }) => Actions[0]?.TargetGroupArn === TargetGroupArn))
        throw fault('ResourceInUseException');
      for (const [name, group] of groups) if (group.TargetGroupArn === TargetGroupArn) groups.delete(name);
    },
    CreateRuleCommand(input: Omit<Rule, 'Priority'> & { Priority: number; ListenerArn: string }) {
      if (input.ListenerArn !== LISTENER) throw fault('ListenerNotFoundException');
      if (rules.length >= maxRules)
        throw fault('TooManyRulesException', 'The maximum number of rules has been reached');
      if (rules.some(({ Priority }) => Priority === String(input.Priority))) throw fault('PriorityInUseException');
      if (input.Conditions[0]?.HttpHeaderConfig.Values.some((value) => value.length > 128))
        throw fault('ValidationError');
      const rule = {
        ...input,
        Priority: String(input.Priority),
        RuleArn: `${LISTENER.replace('listener', 'listener-rule')}/${++made}`,
      };
      rules.push(rule);
      return { Rules: [rule] };
    },
    DescribeRulesCommand({ Marker = '0' }: { Marker?: string }) {
      const end = Number(Marker) + 2;
      return { Rules: rules.slice(Number(Marker), end), ...(end < rules.length && { NextMarker: String(end) }) };
    },
    DeleteRuleCommand({ RuleArn }: Rule) {
      const at = rules.findIndex((rule) => rule.RuleArn === RuleArn);
      if (at < 0) throw fault('RuleNotFoundException');
      rules.splice(at, 1);
    },
    DescribeTargetHealthCommand({ TargetGroupArn }: TargetGroup) {
      proceed();
      const living = [...services.values()]
        .filter(({ loadBalancers }) => loadBalancers[0]?.targetGroupArn === TargetGroupArn)
        .flatMap(({ serviceName }) => livingTasks(serviceName));
      return {
        TargetHealthDescriptions: living
          .filter(({ state }) => state === 'running')
          .map((task) => {
            const behaviour = behaviourOf(task.service);
            if (clock.now - task.createdAt.getTime() < HEALTHY_MS) return { TargetHealth: { State: 'initial' } };
            if (behaviour === 'healthy') return { TargetHealth: { State: 'healthy' } };
            const isFailing = behaviour === 'failing';
            const Reason = isFailing ? 'Target.ResponseCodeMismatch' : 'Target.FailedHealthChecks';
            const Description = isFailing ? 'Health checks failed with these codes: [500]' : 'Health checks failed';
            return { TargetHealth: { State: 'unhealthy', Reason, Description } };
          }),
      };
    },
  };

  type Target = { ResourceId: string };
  const nameOf = ({ ResourceId }: Target) => `${ResourceId.split('/').pop()}`;
  const targetOf = (input: Target) => {
    const target = targets.get(nameOf(input));
    if (!target) throw fault('ObjectNotFoundException');
    return target;
  };
  const scalingCalls: Calls = {
    RegisterScalableTargetCommand(input: Target & { MinCapacity: number; MaxCapacity: number }) {
      const service = services.get(nameOf(input));
      if (!service) throw fault('ValidationException', 'ECS service doesn’t exist');
      const { MinCapacity: min, MaxCapacity: max } = input;
      if (min > max) throw fault('ValidationException', 'MinCapacity');
      targets.set(nameOf(input), { ...targets.get(nameOf(input)), min, max });
      service.desiredCount = Math.min(max, Math.max(min, service.desiredCount));
    },
    DeregisterScalableTargetCommand(input: Target) {
      targetOf(input);
      targets.delete(nameOf(input));
    },
    PutScalingPolicyCommand(input: Target) {
      targetOf(input).policy = true;
    },
    PutScheduledActionCommand(input: Target & { Schedule: string }) {
      const [, at] = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(input.Schedule) ?? [];
      if (at === undefined || Date.parse(`${at}Z`) < clock.now) throw fault('ValidationException', input.Schedule);
      targetOf(input).rest = at;
    },
    DeleteScheduledActionCommand(input: Target) {
      const target = targets.get(nameOf(input));
      if (target?.rest === undefined) throw fault('ObjectNotFoundException');
      delete target.rest;
    },
  };

  const parameterCalls: Calls = {
    PutParameterCommand({
      Name,
      Value,
      Tier,
      Overwrite,
    }: {
      Name: string;
      Value: string;
      Tier: string;
      Overwrite: boolean;
    }) {
      if (!/^\/[\w.\-/]{1,1000}$/.test(Name) || Value === '') throw fault('ValidationException', Name);
      if (Buffer.byteLength(Value) > (Tier === 'Advanced' ? 8_192 : 4_096)) throw fault('ValidationException', 'Value');
      if (parameters.has(Name) && !Overwrite) throw fault('ParameterAlreadyExists');
      parameters.set(Name, { Value, Tier });
    },
    DeleteParametersCommand({ Names }: { Names: string[] }) {
      if (Names.length < 1 || Names.length > 10) throw fault('ValidationException', 'Names');
      for (const name of Names) parameters.delete(name);
    },
  };

  const { now, sleep, metrics } = world.deps;
  const access: AlwaysOnAccess = {
    ...{ now, sleep, metrics, iam: iam.client, logs: logs.client },
    ecs: clientOf(ecsCalls),
    balancer: clientOf(balancerCalls),
    scaling: clientOf(scalingCalls),
    parameters: clientOf(parameterCalls),
  };
  return {
    ...world,
    access,
    definitions,
    inactive,
    services,
    draining,
    groups,
    rules,
    targets,
    parameters,
    definitionOf,
    proceed,
  };
}
