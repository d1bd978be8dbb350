import { Stack } from 'aws-cdk-lib';
import { CfnCluster } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { serviceResources } from '../../../contract/serviceResources.ts';
import { acknowledgeFindings, acknowledgeWildcards } from '../acknowledge.ts';
import type { Network, ServiceGroups } from '../network.ts';
import type { StageSettings } from '../stage-settings.ts';
import type { VerenFunction } from '../veren-function.ts';
import type { ServiceBalancer } from './service-balancer.ts';

export interface AlwaysOnProps {
  readonly settings: StageSettings;
  readonly network: Network;
  readonly groups: NonNullable<ServiceGroups['balanced']>;
  readonly balancer: ServiceBalancer;
  readonly userImagesArn: string;
}

/**
 * Where backends that are always on run: a cluster, in which the releaser makes an ECS service per version, with its target
 * group, its rule of the balancer and its task definition. None of its rights reaches the builders' clusters.
 */
export class AlwaysOn extends Construct {
  private readonly props: AlwaysOnProps;

  constructor(scope: Construct, id: string, props: AlwaysOnProps) {
    super(scope, id);
    this.props = props;
    const cluster = new CfnCluster(this, 'Cluster', { clusterName: this.names.cluster });
    acknowledgeFindings(cluster, {
      'AwsSolutions-ECS4': 'Numbers of requests come from the load balancer; insights are billed per task.',
    });
  }

  /** The most that tasks need besides writing a log: to get their image and their own secrets, before their code runs. */
  executionRights(): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
      new PolicyStatement({
        actions: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [this.props.userImagesArn],
      }),
      new PolicyStatement({ actions: ['ssm:GetParameters'], resources: [this.arns().parameters] }),
    ];
  }

  /** Make, change and remove services. */
  grantRun(fn: VerenFunction): void {
    const { network, groups, userImagesArn } = this.props;
    const arns = this.arns();
    const environment = {
      SERVICES_LISTENER_ARN: arns.listener,
      SERVICES_VPC_ID: network.vpc.vpcId,
      SERVICES_TASK_GROUP: groups.tasks.securityGroupId,
      SERVICES_OPEN_GROUPS: groups.open.map(({ securityGroupId }) => securityGroupId).join(','),
      SERVICES_IMAGES_ARN: userImagesArn,
    };
    for (const [name, value] of Object.entries(environment)) fn.fn.addEnvironment(name, value);
    const inCluster = { ArnEquals: { 'ecs:cluster': arns.cluster } };
    this.allow(fn.role, 'AlwaysOn', ['CreateService', 'UpdateService', 'DeleteService'], [arns.services], inCluster);
    this.allow(
      fn.role,
      'AlwaysOnSeen',
      ['DescribeServices', 'TagResource', 'DescribeTasks'],
      [arns.services, arns.tasks],
    );
    this.allow(fn.role, 'AlwaysOnTasks', ['ListTasks'], ['*'], inCluster);
    // None of them knows resources: what a task may do is what its role may, and only roles of services can be handed on.
    const definitions = ['Register', 'Deregister', 'Describe'].map((verb) => `${verb}TaskDefinition`);
    this.allow(
      fn.role,
      'TaskDefinitions',
      [...definitions, 'ListTaskDefinitions', 'ListTaskDefinitionFamilies'],
      ['*'],
    );
    this.allow(fn.role, 'TaskDefinitionsRemoved', ['DeleteTaskDefinitions'], [arns.definitions]);
    this.balance(fn.role);
    this.scale(fn.role);
    this.allow(fn.role, 'ServiceSecrets', ['ssm:PutParameter', 'ssm:DeleteParameters'], [arns.parameters]);
    acknowledgeWildcards(
      fn.role,
      [arns.services, arns.tasks, arns.definitions, arns.parameters, arns.targetGroups, arns.rules, arns.alarms],
      'One or more per version, made at run time; the rights end at services of this stage.',
    );
  }

  /** See services and their numbers. */
  grantReports(fn: VerenFunction): void {
    const { listener, services } = this.arns();
    fn.fn.addEnvironment('SERVICES_LISTENER_ARN', listener);
    this.allow(fn.role, 'AlwaysOnSeen', ['DescribeServices'], [services]);
    this.allow(fn.role, 'AlwaysOnListed', ['ListTaskDefinitionFamilies'], ['*']);
    this.allow(fn.role, 'AlwaysOnTargets', ['elasticloadbalancing:DescribeTargetGroups'], ['*']);
    acknowledgeWildcards(fn.role, [services], 'Made at run time; the right ends at the cluster of services.');
  }

  private balance(role: Role): void {
    const { listener, targetGroups, rules } = this.arns();
    const elb = (...actions: string[]) => actions.map((action) => `elasticloadbalancing:${action}`);
    this.allow(role, 'ServiceTargets', elb('CreateTargetGroup', 'DeleteTargetGroup', 'ModifyTargetGroupAttributes'), [
      targetGroups,
    ]);
    this.allow(role, 'ServiceRules', elb('CreateRule', 'DeleteRule'), [listener, rules]);
    // The load balancer's calls that read know no resources.
    this.allow(role, 'BalancerSeen', elb('DescribeTargetGroups', 'DescribeTargetHealth', 'DescribeRules'), ['*']);
  }

  private scale(role: Role): void {
    const actions = ['RegisterScalableTarget', 'DeregisterScalableTarget', 'PutScalingPolicy'];
    this.allow(
      role,
      'ServiceScaling',
      [...actions, 'PutScheduledAction', 'DeleteScheduledAction'].map((action) => `application-autoscaling:${action}`),
      ['*'],
      { StringEquals: { 'application-autoscaling:service-namespace': 'ecs' } },
    );
    // Target tracking makes its alarms with the rights of who makes the policy.
    this.allow(role, 'ScalingAlarms', ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'], [this.arns().alarms]);
    this.allow(role, 'ScalingAlarmsSeen', ['cloudwatch:DescribeAlarms'], ['*']);
  }

  private allow(
    role: Role,
    sid: string,
    names: readonly string[],
    resources: string[],
    conditions?: Record<string, object>,
  ): void {
    const actions = names.map((name) => (name.includes(':') ? name : `ecs:${name}`));
    role.addToPolicy(new PolicyStatement({ sid, actions, resources, ...(conditions && { conditions }) }));
  }

  private get names() {
    const { stage, region } = this.props.settings;
    return serviceResources(stage, region);
  }

  private arns() {
    const { cluster, balancer, familyPrefix, targetGroupPrefix, parameterPrefix } = this.names;
    const stack = Stack.of(this);
    const arn = (service: string, resource: string, resourceName: string) =>
      stack.formatArn({ service, resource, resourceName });
    const listener = this.props.balancer.listener.listenerArn;
    return {
      cluster: arn('ecs', 'cluster', cluster),
      services: arn('ecs', 'service', `${cluster}/*`),
      definitions: arn('ecs', 'task-definition', `${familyPrefix}*:*`),
      tasks: arn('ecs', 'task', `${cluster}/*`),
      listener,
      rules: arn('elasticloadbalancing', 'listener-rule', `app/${balancer}/*`),
      targetGroups: arn('elasticloadbalancing', 'targetgroup', `${targetGroupPrefix}*/*`),
      parameters: arn('ssm', 'parameter', `${parameterPrefix.slice(1)}*`),
      alarms: `${stack.formatArn({ service: 'cloudwatch', resource: 'alarm' })}:TargetTracking-service/${cluster}/*`,
    };
  }
}
