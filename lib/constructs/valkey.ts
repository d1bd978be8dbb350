import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  CfnParameterGroup,
  CfnReplicationGroup,
  CfnSubnetGroup,
  CfnUser,
  CfnUserGroup,
} from 'aws-cdk-lib/aws-elasticache';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import { mayChange } from './cross-stack.ts';
import { stageLogGroup } from './log-group.ts';
import { keepWithData, type StageSettings } from './stage-settings.ts';

/** Redis as functions see it. */
export interface RedisAccess {
  /** `redis://` or `rediss://` with host and port. */
  readonly url: string;
  /** How a function logs in: its name in Redis, and the secret whose string is its password. */
  loginOf(functionName: string): RedisLogin;
}
export interface RedisLogin {
  /** Absent: the default user. */
  readonly userName?: string;
  /** Absent where there is no password. */
  readonly secret?: ISecret;
}

export interface ValkeyProps {
  readonly settings: StageSettings;
  readonly redis: Extract<Config['redis'], { kind: 'valkey' }>;
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
  /** ACL rules by function: each gets a user of its own, so that a reader of logs cannot change the queues. */
  readonly users: Readonly<Record<string, readonly string[]>>;
}

/** A Valkey replication group for BullMQ, log streams and pub/sub: TLS, a user for each function, never evicting, with snapshots. */
export class Valkey extends Construct implements RedisAccess {
  readonly url: string;
  readonly replicationGroupId: string;
  private readonly logins: ReadonlyMap<string, RedisLogin>;

  constructor(scope: Construct, id: string, { settings, redis, ...props }: ValkeyProps) {
    super(scope, id);
    this.replicationGroupId = `veren-${settings.stage}`;
    const users = Object.entries(props.users).map(([name, rules]) => this.user(name, rules, settings));
    this.logins = new Map(users.map(({ name, login }) => [name, login]));
    const userGroup = new CfnUserGroup(this, 'Users', {
      engine: 'valkey',
      userGroupId: this.replicationGroupId,
      userIds: users.map(({ user }) => user.ref),
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
    const logs = stageLogGroup(this, 'Logs', settings, `/veren/${settings.stage}/valkey`);
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
      userGroupIds: [userGroup.ref],
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
    // Users, groups of them, subnets and parameters cannot be deleted under a replication group that stays.
    keepWithData(settings, group, userGroup, subnetGroup, parameters, ...users.map(({ user }) => user));
    acknowledgeFindings(group, {
      'AwsSolutions-AEC6':
        'Access is by users with a password and an ACL each, which is more than the one password that AUTH knows.',
      'AwsSolutions-AEC5':
        'The port is closed to all but one security group, behind TLS and a password; another number would hide nothing.',
      ...(!highlyAvailable && {
        'AwsSolutions-AEC4':
          'One node by configuration (redis.replicas): Redis is the hot state only, and is rebuilt from Kafka and S3.',
      }),
    });
    mayChange(settings, group);
    this.url = `rediss://${group.attrPrimaryEndPointAddress}:${group.attrPrimaryEndPointPort}`;
  }

  loginOf(functionName: string): RedisLogin {
    const login = this.logins.get(functionName);
    if (!login) throw new Error(`${functionName} has no user in Redis`);
    return login;
  }

  private user(name: string, rules: readonly string[], settings: StageSettings) {
    const secret = new Secret(this, `Password-${name}`, {
      description: `Password of ${name} in Valkey ${this.replicationGroupId}`,
      // ElastiCache takes 16 to 128 characters and few signs; letters and digits need no quoting anywhere.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: settings.removalPolicy,
    });
    acknowledgeFindings(secret, {
      'AwsSolutions-SMG4':
        'A user may have two passwords at once; the runbook "Change a Redis password" uses that, where a rotation would need a function with rights on every user.',
    });
    mayChange(settings, secret);
    const user = new CfnUser(this, `User-${name}`, {
      engine: 'valkey',
      userId: `${this.replicationGroupId}-${name}`,
      userName: name,
      // A new user has no keys; ElastiCache does not take `resetkeys`.
      accessString: ['on', ...rules.filter((rule) => rule !== 'resetkeys')].join(' '),
      authenticationMode: { Type: 'password', Passwords: [secret.secretValue.unsafeUnwrap()] }, // a dynamic reference
    });
    return { name, user, login: { userName: name, secret: secret as ISecret } };
  }
}
