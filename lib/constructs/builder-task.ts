import { Aws, Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { CfnTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type Builder, ISOLATED_DROPS, type IsolatedContainer } from '../../contract/builders.ts';
import type { TaskSize } from '../config.ts';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import type { BuilderCluster } from './builder-cluster.ts';
import { mayChange } from './cross-stack.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

export interface BuilderTaskProps {
  readonly settings: StageSettings;
  readonly builder: Builder;
  readonly cluster: BuilderCluster;
  readonly size: TaskSize;
  readonly repository: IRepository;
  /** Of the image in the repository. */
  readonly imageTag: string;
}

/**
 * One builder's task definition, by the names of the table.
 *
 * It has **no task role**: a task role puts a credential endpoint into every container of the task, within reach of the
 * code that is built. CDK's own `FargateTaskDefinition` always makes one, hence the L1.
 */
export class BuilderTask extends Construct {
  readonly builder: Builder;
  readonly imageTag: string;
  private readonly executionRole: Role;
  private readonly cluster: BuilderCluster;

  constructor(
    scope: Construct,
    id: string,
    { settings, builder, cluster, size, repository, imageTag }: BuilderTaskProps,
  ) {
    super(scope, id);
    this.builder = builder;
    this.imageTag = imageTag;
    this.cluster = cluster;
    const logs = stageLogGroup(this, 'Logs', settings, `/veren/${settings.stage}/builders/${builder.family}`);
    this.executionRole = new Role(this, 'ExecutionRole', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
      description: `Pulls the image of ${builder.family} and writes its log; never seen by the container`,
    });
    // When a builder is removed its role goes too, while the function's role may still name it.
    mayChange(settings, this.executionRole);
    repository.grantPull(this.executionRole);
    logs.grantWrite(this.executionRole);
    acknowledgeFindings(this.executionRole, {
      'AwsSolutions-IAM5[Resource::*]':
        'ecr:GetAuthorizationToken is given for the registry or not at all; pulling is limited to one repository.',
    });

    const definition = new CfnTaskDefinition(this, 'Definition', {
      family: builder.family,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: String(size.cpu),
      memory: String(size.memoryMiB),
      ephemeralStorage: { sizeInGiB: size.ephemeralStorageGiB },
      runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      executionRoleArn: this.executionRole.roleArn,
      // Process and file system namespaces are each container's own unless `pidMode` says otherwise.
      ...(builder.isolated && { volumes: [{ name: CHANNEL }] }),
      containerDefinitions: [
        {
          name: builder.container,
          image: `${repository.repositoryUri}:${imageTag}`,
          essential: true,
          ...(builder.isolated && {
            mountPoints: [{ sourceVolume: CHANNEL, containerPath: builder.isolated.channel, readOnly: false }],
          }),
          // Time to send the last log lines and the reason; Fargate allows no more.
          stopTimeout: 120,
          logConfiguration: {
            logDriver: 'awslogs',
            options: {
              'awslogs-group': logs.logGroupName,
              'awslogs-region': Aws.REGION,
              'awslogs-stream-prefix': builder.container,
              // A full log buffer must not block the build: users' logs go through Kafka, this copy is for operators.
              mode: 'non-blocking',
              'max-buffer-size': '4m',
            },
          },
        },
        ...(builder.isolated
          ? [isolatedContainer(builder.isolated, `${repository.repositoryUri}:${imageTag}`, size)]
          : []),
      ],
    });
    if (builder.isolated)
      acknowledgeFindings(definition, {
        'AwsSolutions-ECS7':
          'The isolated container has no log: what runs there is root and would write what it likes into it, at the ' +
          'operator’s cost. Its output reaches the deployment’s log by the other container, with limits.',
      });
    // The role's policy must be there before the first task starts.
    definition.node.addDependency(this.executionRole);
  }

  /** Start this task, on its cluster and no other. */
  grantRun(role: Role): void {
    const family = Stack.of(this).formatArn({
      service: 'ecs',
      resource: 'task-definition',
      resourceName: this.builder.family,
    });
    // Every revision: the family names the newest one, whichever that is.
    const revisions = `${family}:*`;
    role.addToPolicy(
      new PolicyStatement({
        actions: ['ecs:RunTask'],
        resources: [family, revisions],
        conditions: { ArnEquals: { 'ecs:cluster': this.cluster.clusterArn } },
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [this.executionRole.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      }),
    );
    const tasks = Stack.of(this).formatArn({
      service: 'ecs',
      resource: 'task',
      resourceName: `${this.cluster.clusterName}/*`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['ecs:TagResource'],
        resources: [tasks],
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
      }),
    );
    acknowledgeWildcards(role, [tasks], 'Tags a task while it is started (ecs:CreateAction), on one cluster.');
    acknowledgeWildcards(role, [revisions], 'Any revision of one task definition, on one cluster (ecs:cluster).');
  }
}

/** Volume of the folder with the socket between the two containers. */
const CHANNEL = 'channel';
/** Kept for the container that reports, pushes and has to outlive whatever the other one does. */
const TRUSTED_MIB = 1_024;

/**
 * What builds a Dockerfile of a repository's own, as root: no environment, no log, no role, fewer capabilities, a limit on memory
 * below the task's. It does not end the task: the other container says what became of the build. There is no `dependsOn`: with
 * one it would be stopped before the other, which could not tell a stop of the task from an end of the build.
 */
const isolatedContainer = (
  { container, entryPoint, channel }: IsolatedContainer,
  image: string,
  size: TaskSize,
): CfnTaskDefinition.ContainerDefinitionProperty => ({
  name: container,
  image,
  essential: false,
  entryPoint: [...entryPoint],
  memory: Math.max(size.memoryMiB - TRUSTED_MIB, TRUSTED_MIB),
  linuxParameters: { capabilities: { drop: [...ISOLATED_DROPS] } },
  mountPoints: [{ sourceVolume: CHANNEL, containerPath: channel, readOnly: true }],
  stopTimeout: 5,
});
