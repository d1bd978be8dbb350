import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import type { StageSettings } from './stage-settings.ts';

/** Redis as functions see it. */
export interface RedisAccess {
  /** `redis://` or `rediss://` with host and port; the password is in the secret. */
  readonly url: string;
  /** Its string is the password; absent where there is none. */
  readonly secret: ISecret | undefined;
}

export interface ValkeyProps {
  readonly settings: StageSettings;
  readonly redis: Extract<Config['redis'], { kind: 'valkey' }>;
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

/** A Valkey replication group for BullMQ, log streams and pub/sub: TLS, password, never evicting, with snapshots. */
export class Valkey extends Construct implements RedisAccess {
  readonly url: string;
  readonly secret: ISecret;
  readonly replicationGroupId: string;

  constructor(scope: Construct, id: string, { settings, redis, ...props }: ValkeyProps) {
    super(scope, id);
    this.replicationGroupId = `veren-${settings.stage}`;
    const password = new Secret(this, 'Password', {
      description: `Password of Valkey ${this.replicationGroupId}`,
      // ElastiCache takes 16 to 128 characters and few signs; letters and digits need no quoting anywhere.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: settings.removalPolicy,
    });
    this.secret = password as ISecret;
    acknowledge(password, {
      'AwsSolutions-SMG4':
        'Rotation means ModifyReplicationGroup with both passwords valid for a while; the runbook "Change the Redis password" does it in two commands.',
    });
    const subnetGroup = new CfnSubnetGroup(this, 'Subnets', {
      description: `Valkey ${this.replicationGroupId}`,
      subnetIds: props.vpc.selectSubnets(props.subnets).subnetIds,
    });
    const parameters = new CfnParameterGroup(this, 'Parameters', {
      description: 'BullMQ keeps jobs in Redis: nothing may be evicted',
      cacheParameterGroupFamily: 'valkey8',
      properties: { 'maxmemory-policy': 'noeviction' },
    });
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: `/veren/${settings.stage}/valkey`,
      retention: settings.logRetention,
      removalPolicy: settings.removalPolicy,
    });
    const highlyAvailable = redis.replicas > 0;
    const group = new CfnReplicationGroup(this, 'Group', {
      replicationGroupId: this.replicationGroupId,
      replicationGroupDescription: 'Veren: queues, state, live logs',
      engine: 'valkey',
      engineVersion: '8.0',
      cacheNodeType: redis.nodeType,
      numCacheClusters: redis.replicas + 1,
      automaticFailoverEnabled: highlyAvailable,
      multiAzEnabled: highlyAvailable,
      cacheSubnetGroupName: subnetGroup.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [props.securityGroup.securityGroupId],
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      authToken: this.secret.secretValue.unsafeUnwrap(), // a dynamic reference: CloudFormation resolves it, the template does not hold it
      autoMinorVersionUpgrade: true,
      snapshotRetentionLimit: redis.snapshotDays,
      snapshotWindow: '20:00-21:00',
      preferredMaintenanceWindow: 'sun:21:30-sun:22:30',
      logDeliveryConfigurations: [
        {
          destinationType: 'cloudwatch-logs',
          destinationDetails: { cloudWatchLogsDetails: { logGroup: logs.logGroupName } },
          logFormat: 'json',
          logType: 'engine-log',
        },
      ],
    });
    group.applyRemovalPolicy(settings.removalPolicy);
    acknowledge(group, {
      'AwsSolutions-AEC5':
        'The port is closed to all but one security group, behind TLS and a password; another number would hide nothing.',
      ...(!highlyAvailable && {
        'AwsSolutions-AEC4':
          'One node by configuration (redis.replicas): Redis is the hot state only, and is rebuilt from Kafka and S3.',
      }),
    });
    this.url = `rediss://${group.attrPrimaryEndPointAddress}:${group.attrPrimaryEndPointPort}`;
  }
}
