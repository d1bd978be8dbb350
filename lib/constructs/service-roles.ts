import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeAwsCalls } from './aws-calls.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

/** Role of each service that makes one per account when it is first used. Source: the services' guides, "Using service-linked roles". */
export const SERVICE_ROLES = {
  ecs: 'AWSServiceRoleForECS',
  kafka: 'AWSServiceRoleForKafka',
  elasticache: 'AWSServiceRoleForElastiCache',
  autoscaling: 'AWSServiceRoleForAutoScaling',
  elasticloadbalancing: 'AWSServiceRoleForElasticLoadBalancing',
  'ecs.application-autoscaling': 'AWSServiceRoleForApplicationAutoScaling_ECSService',
} as const;
export type ServiceWithRole = keyof typeof SERVICE_ROLES;

/** Services of a stage that need such a role. */
export const servicesWithRole = ({
  kafka,
  redis,
  services,
}: Pick<Config, 'kafka' | 'redis' | 'services'>): ServiceWithRole[] => [
  'ecs',
  ...(services.alwaysOn.enabled ? (['elasticloadbalancing', 'ecs.application-autoscaling'] as const) : []),
  ...(kafka.kind === 'msk' ? (['kafka'] as const) : []),
  ...(kafka.kind === 'broker' ? (['autoscaling'] as const) : []),
  ...(redis.kind === 'valkey' ? (['elasticache'] as const) : []),
];

export interface ServiceRolesProps {
  readonly settings: StageSettings;
  readonly services: readonly ServiceWithRole[];
}

/**
 * Makes the service-linked roles that an account lacks. A service makes its role on first use, but a cluster that needs it
 * at once fails in a fresh account. Not `AWS::IAM::ServiceLinkedRole`: that fails where the role exists, and would take it
 * away from everybody in the account when the stack goes.
 */
export class ServiceRoles extends Construct {
  constructor(scope: Construct, id: string, { settings, services }: ServiceRolesProps) {
    super(scope, id);
    const logGroup = stageLogGroup(this, 'Logs', settings);
    for (const service of services) {
      const name = `${service}.amazonaws.com`;
      new AwsCustomResource(this, service, {
        onCreate: {
          service: 'IAM',
          action: 'createServiceLinkedRole',
          parameters: { AWSServiceName: name },
          physicalResourceId: PhysicalResourceId.of(`service-role-${service}`),
          // IAM's answer where the role exists.
          ignoreErrorCodesMatching: 'InvalidInput',
        },
        installLatestAwsSdk: false,
        policy: AwsCustomResourcePolicy.fromStatements([
          new PolicyStatement({
            actions: ['iam:CreateServiceLinkedRole'],
            resources: [
              Stack.of(this).formatArn({
                service: 'iam',
                region: '',
                resource: 'role',
                resourceName: `aws-service-role/${name}/${SERVICE_ROLES[service]}`,
              }),
            ],
            conditions: { StringEquals: { 'iam:AWSServiceName': name } },
          }),
        ]),
        logGroup,
      });
    }
    acknowledgeAwsCalls(this);
  }
}
