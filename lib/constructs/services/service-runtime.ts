import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Effect, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { serviceResources } from '../../../contract/serviceResources.ts';
import { acknowledgeWildcards } from '../acknowledge.ts';
import type { Network } from '../network.ts';
import { accountWideName, type StageSettings } from '../stage-settings.ts';
import type { VerenFunction } from '../veren-function.ts';
import { AlwaysOn } from './always-on.ts';
import type { ServiceBalancer } from './service-balancer.ts';

export interface ServiceRuntimeProps {
  readonly settings: StageSettings;
  /** Of users' images, which services run. */
  readonly userImages: IRepository;
  /** With groups of services. */
  readonly network: Network;
  /** @default - none is always on */
  readonly balancer?: ServiceBalancer | undefined;
}

/** Rights that Lambda needs to put a function into a VPC; EC2 gives them for all interfaces or none. */
const INTERFACE_ACTIONS = [
  ...['AssignPrivateIpAddresses', 'CreateNetworkInterface', 'DeleteNetworkInterface', 'DescribeNetworkInterfaces'],
  ...['DescribeSubnets', 'UnassignPrivateIpAddresses'],
].map((action) => `ec2:${action}`);

/**
 * What running backends need of the account: the boundary of their roles, the role that calls by schedule are made with, and
 * the group of the schedules. Functions, roles and logs are made at run time, one of each per project, under names that
 * the rights below end at.
 */
export class ServiceRuntime extends Construct {
  private readonly boundary: ManagedPolicy;
  private readonly schedulerRole: Role;
  private readonly props: ServiceRuntimeProps;
  private readonly alwaysOn: AlwaysOn | undefined;

  constructor(scope: Construct, id: string, props: ServiceRuntimeProps) {
    super(scope, id);
    this.props = props;
    const { settings, network, balancer, userImages } = props;
    const { logs, functions, scheduleGroup } = this.resources();
    const groups = network.services?.balanced;
    if (balancer && groups)
      this.alwaysOn = new AlwaysOn(this, 'AlwaysOn', {
        ...{ settings, network, groups, balancer },
        userImagesArn: userImages.repositoryArn,
      });
    this.boundary = new ManagedPolicy(this, 'Boundary', {
      managedPolicyName: accountWideName(settings, 'service-boundary'),
      description: 'The most that roles of running backends may do',
      statements: [
        new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [`${logs}:*`] }),
        new PolicyStatement({ actions: INTERFACE_ACTIONS, resources: ['*'] }),
        // Lambda itself makes interfaces with the role; the code in a function has the role, too, and may not.
        new PolicyStatement({
          effect: Effect.DENY,
          actions: INTERFACE_ACTIONS,
          resources: ['*'],
          conditions: { ArnLike: { 'lambda:SourceFunctionArn': functions } },
        }),
        ...(this.alwaysOn?.executionRights() ?? []),
      ],
    });
    acknowledgeWildcards(
      this.boundary,
      [`${logs}:*`, '*', ...(this.alwaysOn?.executionRights().flatMap((right) => right.resources) ?? [])],
      'A boundary; the role of a project names the project’s own log and secrets.',
    );
    const group = new CfnScheduleGroup(this, 'Schedules', { name: scheduleGroup });
    this.schedulerRole = new Role(this, 'SchedulerRole', {
      description: 'Calls by schedule: production of running backends',
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnEquals: { 'aws:SourceArn': group.attrArn },
        },
      }),
    });
    const production = `${functions}:production`;
    this.schedulerRole.addToPolicy(
      new PolicyStatement({ sid: 'CallProduction', actions: ['lambda:InvokeFunction'], resources: [production] }),
    );
    acknowledgeWildcards(this.schedulerRole, [production], 'Projects get their functions at run time.');
  }

  /** Make, change and remove everything of services: the releaser's and, for removals, the task-watcher's rights. */
  grantRun(fn: VerenFunction): void {
    const { settings, userImages, network } = this.props;
    const { functions, roles, logs, schedules } = this.resources();
    const group = `${network.services?.attached.securityGroupId}`;
    fn.fn.addEnvironment('SERVICES_GROUP', group);
    fn.fn.addEnvironment('SERVICES_SUBNETS', network.vpc.selectSubnets(network.privateSubnets).subnetIds.join(','));
    fn.fn.addEnvironment('SERVICES_BOUNDARY_ARN', this.boundary.managedPolicyArn);
    fn.fn.addEnvironment('SERVICES_SCHEDULER_ROLE_ARN', this.schedulerRole.roleArn);
    fn.fn.addEnvironment('SERVICES_LOG_DAYS', String(settings.logRetention));
    const allow = (sid: string, actions: string[], resources: string[], conditions?: Record<string, object>) =>
      fn.role.addToPolicy(new PolicyStatement({ sid, actions, resources, ...(conditions && { conditions }) }));
    allow(
      'ServiceFunctions',
      [
        ...['AddPermission', 'CreateAlias', 'CreateFunctionUrlConfig', 'DeleteAlias'],
        ...['DeleteFunction', 'DeleteFunctionUrlConfig', 'GetAlias', 'GetFunctionConfiguration'],
        ...['GetFunctionUrlConfig', 'ListAliases', 'ListVersionsByFunction', 'PublishVersion', 'UpdateAlias'],
        'UpdateFunctionCode',
      ].map((action) => `lambda:${action}`),
      [functions],
    );
    // In no group but that of services: the platform's own reach its Kafka and Redis.
    allow(
      'ServiceFunctionsInTheirGroup',
      ['lambda:CreateFunction', 'lambda:UpdateFunctionConfiguration'],
      [functions],
      { 'ForAllValues:StringEquals': { 'lambda:SecurityGroupIds': [group] } },
    );
    // Lambda looks at the network with the rights of who attaches a function to it.
    const seen = ['DescribeSecurityGroups', 'DescribeSubnets', 'DescribeVpcs', 'GetSecurityGroupsForVpc'];
    allow(
      'SeeNetwork',
      seen.map((action) => `ec2:${action}`),
      ['*'],
    );
    this.alwaysOn?.grantRun(fn);
    // A role without the boundary, or with another one, cannot be made or given rights.
    allow('ServiceRoles', ['iam:CreateRole', 'iam:PutRolePolicy'], [roles], {
      StringEquals: { 'iam:PermissionsBoundary': this.boundary.managedPolicyArn },
    });
    allow('ServiceRolesFoundAndRemoved', ['iam:GetRole', 'iam:DeleteRole', 'iam:DeleteRolePolicy'], [roles]);
    allow('PassServiceRoles', ['iam:PassRole'], [roles], {
      StringEquals: {
        'iam:PassedToService': this.alwaysOn
          ? ['lambda.amazonaws.com', 'ecs-tasks.amazonaws.com']
          : 'lambda.amazonaws.com',
      },
    });
    allow('PassSchedulerRole', ['iam:PassRole'], [this.schedulerRole.roleArn], {
      StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
    });
    allow(
      'ServiceLogs',
      ['logs:CreateLogGroup', 'logs:PutRetentionPolicy', 'logs:DeleteLogGroup', 'logs:FilterLogEvents'],
      [logs, `${logs}:*`],
    );
    allow(
      'ServiceSchedules',
      ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule', 'scheduler:DeleteSchedule'],
      [schedules],
    );
    allow('ListSchedules', ['scheduler:ListSchedules'], ['*']);
    // Lambda looks whether who makes a function may read its image.
    allow('ServiceImages', ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'], [userImages.repositoryArn]);
    acknowledgeWildcards(
      fn.role,
      [functions, roles, logs, `${logs}:*`, schedules],
      'One of each per project, made at run time; the rights end at the names of services of this stage.',
    );
    acknowledgeWildcards(
      fn.role,
      ['*'],
      'Calls that know no resources: they read, or a condition ends them at services.',
    );
  }

  /** Read logs and numbers of services. */
  grantReports(fn: VerenFunction): void {
    const { functions, logs } = this.resources();
    fn.fn.addEnvironment('SERVICES_BOUNDARY_ARN', this.boundary.managedPolicyArn);
    fn.role.addToPolicy(
      new PolicyStatement({
        sid: 'FindServices',
        actions: ['lambda:ListAliases', 'lambda:ListVersionsByFunction'],
        resources: [functions],
      }),
    );
    fn.role.addToPolicy(
      new PolicyStatement({
        sid: 'ReadServiceLogs',
        actions: ['logs:FilterLogEvents'],
        resources: [logs, `${logs}:*`],
      }),
    );
    fn.role.addToPolicy(
      new PolicyStatement({ sid: 'ReadMetrics', actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    );
    acknowledgeWildcards(
      fn.role,
      [functions, logs, `${logs}:*`],
      'One of each per project, made at run time; the rights end at the names of services of this stage.',
    );
    this.alwaysOn?.grantReports(fn);
    acknowledgeWildcards(
      fn.role,
      ['*'],
      'CloudWatch gives metrics of the account or none, as ECS its task definitions.',
    );
  }

  private resources() {
    const { settings } = this.props;
    return serviceArns(this, settings);
  }
}

/** ARNs of services, with a `*` in the place of a project. */
export function serviceArns(scope: Construct, settings: StageSettings) {
  const names = serviceResources(settings.stage, settings.region);
  const stack = Stack.of(scope);
  const colon = ArnFormat.COLON_RESOURCE_NAME;
  const functionName = `${names.functionPrefix}*`;
  return {
    functions: stack.formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: colon,
    }),
    roles: stack.formatArn({
      service: 'iam',
      region: '',
      resource: `role${names.rolePath}*`,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    }),
    logs: stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `${names.logPrefix}*`,
      arnFormat: colon,
    }),
    schedules: stack.formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${names.scheduleGroup}/*`,
    }),
    scheduleGroup: names.scheduleGroup,
  };
}
