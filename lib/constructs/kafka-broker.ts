import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArnFormat, Aws, Duration, IgnoreMode, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { AutoScalingGroup, GroupMetric, GroupMetrics, Signals, UpdatePolicy } from 'aws-cdk-lib/aws-autoscaling';
import {
  AmazonLinuxCpuType,
  BlockDeviceVolume,
  type CfnVolume,
  EbsDeviceVolumeType,
  InstanceType,
  type ISecurityGroup,
  type IVpc,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  MachineImage,
  type SubnetSelection,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { TOPICS } from '../../contract/names.ts';
import type { Config } from '../config.ts';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import { mirroredBases } from './builder-image.ts';
import { ROOT } from './bundle.ts';
import { mayChange } from './cross-stack.ts';
import { imageBuild } from './image-builds.ts';
import { KafkaConnection } from './kafka.ts';
import { BrokerDisk } from './kafka-broker-disk.ts';
import { BrokerName } from './kafka-broker-name.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';

/** The one port that is reached from outside of the instance: TLS and SCRAM. */
export const KAFKA_BROKER_PORT = 9_094;
/** Heap for the smallest instances, and for those with 2 GiB and more. The rest is the page cache and Docker. */
const heapMiB = (instanceType: string) => (/\.(nano|micro)$/.test(instanceType) ? 320 : 640);
const GIB = 2 ** 30;
const FOLDER = join(ROOT, 'lib', 'constructs', 'kafka-broker');
const IMAGE_FILES = ['pom.xml', 'jars.sha256', 'broker.sh', 'log4j2.yaml'];

export interface KafkaBrokerProps {
  readonly settings: StageSettings;
  readonly kafka: Extract<Config['kafka'], { kind: 'broker' }>;
  readonly vpc: IVpc;
  /** With a way out; the broker is in the first one. */
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

/** What of a broker's disk one partition may hold: three topics share six tenths of it. */
export const bytesPerPartition = ({ storageGiB, partitions }: { storageGiB: number; partitions: number }) =>
  Math.floor((storageGiB * GIB * 0.6) / (partitions * Object.keys(TOPICS).length));

/**
 * One Kafka broker on an instance in a group of one, for stages that must cost little: TLS by an authority of its own, SCRAM,
 * data on a volume that outlives the instance. docs/decisions/kafka-broker.md.
 */
export class KafkaBroker extends Construct {
  readonly access: KafkaConnection;
  readonly groupName: string;
  private readonly host: string;

  constructor(scope: Construct, id: string, props: KafkaBrokerProps) {
    super(scope, id);
    const { settings, kafka, vpc, securityGroup } = props;
    const name = `veren-${settings.stage}-kafka`;
    this.groupName = name;
    this.host = `kafka.veren-${settings.stage}.internal`;
    const [subnet] = vpc.selectSubnets(props.subnets).subnets;
    if (!subnet) throw new Error('the broker needs a subnet');
    const brokerName = new BrokerName(this, 'Name', { settings, vpc, host: this.host });
    const { zone } = brokerName;
    const platform = this.login('platform', settings);
    const builders = this.login('builders', settings);
    const authority = this.makeAuthority(settings);
    const { volume } = new BrokerDisk(this, 'Disk', {
      settings,
      kafka,
      availabilityZone: subnet.availabilityZone,
      name,
    });
    const logs = stageLogGroup(this, 'Logs', settings, `/veren/${settings.stage}/kafka`);
    const image = this.makeImage(settings, name);
    const keyParameter = `/veren/${settings.stage}/kafka`;

    const role = this.makeRole({ name, keyParameter, volume, zone, logs, logins: [platform, builders], authority });
    image.repository.grantPull(role);

    const userData = UserData.forLinux();
    userData.addCommands(
      ...installFiles({
        AWS_DEFAULT_REGION: Aws.REGION,
        KAFKA_IMAGE: image.imageUri,
        KAFKA_VOLUME: volume.ref,
        KAFKA_ZONE: zone.hostedZoneId,
        KAFKA_HOST: this.host,
        KAFKA_LOG_GROUP: logs.logGroupName,
        KAFKA_KEY_PARAMETER: keyParameter,
        KAFKA_AUTHORITY_SECRET: authority.secretArn,
        KAFKA_PLATFORM_SECRET: platform.secretArn,
        KAFKA_BUILDERS_SECRET: builders.secretArn,
        KAFKA_HEAP_MIB: String(heapMiB(kafka.instanceType)),
        KAFKA_RETENTION_BYTES: String(bytesPerPartition(kafka)),
        KAFKA_TOPICS: topicsOf(kafka),
      }),
    );
    const template = new LaunchTemplate(this, 'Template', {
      instanceType: new InstanceType(kafka.instanceType),
      machineImage: MachineImage.latestAmazonLinux2023({ cpuType: AmazonLinuxCpuType.ARM_64 }),
      securityGroup,
      role,
      userData,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      // The broker's container is a hop away, and gets no credentials.
      httpPutResponseHopLimit: 1,
      blockDevices: [
        {
          deviceName: '/dev/xvda',
          volume: BlockDeviceVolume.ebs(8, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    });
    const group = new AutoScalingGroup(this, 'Group', {
      autoScalingGroupName: name,
      vpc,
      vpcSubnets: { subnets: [subnet] },
      launchTemplate: template,
      minCapacity: 1,
      maxCapacity: 1,
      // The deployment goes on when the broker answers and has its topics.
      signals: Signals.waitForAll({ timeout: Duration.minutes(30) }),
      // The disk belongs to one instance: the old one goes first.
      updatePolicy: UpdatePolicy.rollingUpdate({
        minInstancesInService: 0,
        maxBatchSize: 1,
        waitOnResourceSignals: true,
        pauseTime: Duration.minutes(30),
      }),
      groupMetrics: [new GroupMetrics(GroupMetric.IN_SERVICE_INSTANCES)],
    });
    userData.addSignalOnExitCommand(group);
    group.node.addDependency(volume, authority, brokerName);
    acknowledgeFindings(group, {
      'AwsSolutions-AS3': 'A replaced broker is seen by the alarm kafka-broker-down; each launch needs no message.',
      'AwsSolutions-EC26': 'The template has encrypted disks; cdk-nag does not read launch templates.',
    });
    // Readers of the authority, and the topics, come after the broker that writes it.
    this.access = KafkaConnection.scram(`${this.host}:${KAFKA_BROKER_PORT}`, {
      secret: platform,
      builderSecret: builders,
      authority,
    });
  }

  private makeRole(of: {
    readonly name: string;
    readonly keyParameter: string;
    readonly volume: CfnVolume;
    readonly zone: PrivateHostedZone;
    readonly logs: LogGroup;
    readonly logins: readonly ISecret[];
    readonly authority: ISecret;
  }): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'The broker: its disk, its name, its keys, its image, its log',
      // In place of SSH: no key, no open port, no charge.
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    const stack = Stack.of(this);
    const grant = (sid: string, actions: string[], resources: string[], conditions?: Record<string, unknown>) =>
      role.addToPolicy(new PolicyStatement({ sid, actions, resources, ...(conditions && { conditions }) }));
    const arnOf = (service: string, resource: string, resourceName: string) =>
      stack.formatArn({ service, resource, resourceName });
    const instances = arnOf('ec2', 'instance', '*');
    const ownGroup = stack.formatArn({
      service: 'autoscaling',
      resource: 'autoScalingGroup',
      resourceName: `*:autoScalingGroupName/${of.name}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const streams = `${of.logs.logGroupArn}:log-stream:*`;
    grant('AttachDisk', ['ec2:AttachVolume'], [arnOf('ec2', 'volume', of.volume.ref)]);
    grant('AttachDiskHere', ['ec2:AttachVolume'], [instances], {
      StringEquals: { 'aws:ResourceTag/aws:autoscaling:groupName': of.name },
    });
    grant('TellName', ['route53:ChangeResourceRecordSets'], [of.zone.hostedZoneArn], {
      'ForAllValues:StringEquals': {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': [this.host],
        'route53:ChangeResourceRecordSetsRecordTypes': ['A'],
        'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
      },
    });
    grant(
      'OwnKey',
      ['ssm:GetParameter', 'ssm:PutParameter'],
      [arnOf('ssm', 'parameter', of.keyParameter.replace(/^\//, ''))],
    );
    grant(
      'Logins',
      ['secretsmanager:GetSecretValue'],
      [...of.logins, of.authority].map((s) => s.secretArn),
    );
    grant('TellAuthority', ['secretsmanager:PutSecretValue'], [of.authority.secretArn]);
    grant('Log', ['logs:CreateLogStream', 'logs:PutLogEvents'], [streams]);
    grant('ReplaceItself', ['autoscaling:SetInstanceHealth'], [ownGroup]);
    acknowledgeFindings(role, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]':
        'What Session Manager needs, in place of SSH: AWS keeps it in step with its agent.',
      'AwsSolutions-IAM5[Resource::*]': 'ecr:GetAuthorizationToken is given for the registry or not at all.',
    });
    acknowledgeWildcards(
      role,
      [instances, ownGroup, streams],
      'Ids of instances, groups and streams are made at run time; a tag, the name of a group, and one log group end the rights.',
    );
    return role;
  }

  /** A user of the broker: `{"username", "password"}`, as Lambda's event source wants it. */
  private login(username: string, settings: StageSettings): ISecret {
    const secret = new Secret(this, `Login-${username}`, {
      description: `Login of ${username} at Kafka of Veren ${settings.stage}`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username }),
        generateStringKey: 'password',
        passwordLength: 48,
        excludePunctuation: true,
      },
      removalPolicy: settings.removalPolicy,
    });
    acknowledgeFindings(secret, {
      'AwsSolutions-SMG4':
        'The broker takes a new password when it starts: docs/operations.md, “Change Kafka’s passwords”.',
    });
    mayChange(settings, secret);
    return secret as ISecret;
  }

  /** `{"certificate": "…"}`, as Lambda's event source wants it; made empty, and written by the broker. */
  private makeAuthority(settings: StageSettings): ISecret {
    const authority = new Secret(this, 'Authority', {
      description: `Certificate of the authority of Kafka of Veren ${settings.stage}: no secret, but Lambda reads it from one`,
      // CloudFormation writes this when the secret is made, and not again while the template says the same.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: settings.removalPolicy,
    });
    acknowledgeFindings(authority, {
      'AwsSolutions-SMG4': 'A certificate, which everybody may know; docs/operations.md says how to make another.',
    });
    mayChange(settings, authority);
    return authority as ISecret;
  }

  private makeImage(settings: StageSettings, repositoryName: string) {
    const repository = new Repository(this, 'Repository', {
      repositoryName,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      lifecycleRules: [{ description: 'The running image and a few to go back to', maxImageCount: 5 }],
      removalPolicy: RemovalPolicy.DESTROY,
      emptyOnDelete: true,
    });
    return imageBuild(this, 'Image', settings, {
      directory: FOLDER,
      repository,
      platform: Platform.LINUX_ARM64,
      ignoreMode: IgnoreMode.DOCKER,
      exclude: ['**', '!Dockerfile', ...IMAGE_FILES.map((file) => `!${file}`)],
      buildArgs: mirroredBases(readFileSync(join(FOLDER, 'Dockerfile'), 'utf8')),
    });
  }
}

/** `name:partitions:retention in ms`, as `broker.sh` takes them. */
function topicsOf({ partitions, eventRetentionDays, logRetentionDays }: KafkaBrokerProps['kafka']): string {
  const days = {
    [TOPICS.events]: eventRetentionDays,
    [TOPICS.buildEvents]: eventRetentionDays,
    [TOPICS.logs]: logRetentionDays,
  };
  return Object.entries(days)
    .map(([name, d]) => `${name}:${partitions}:${Duration.days(d).toMilliseconds()}`)
    .join(' ');
}

/** Commands that write the settings and the two scripts of the instance, and call the first. */
function installFiles(settings: Readonly<Record<string, string>>): string[] {
  const file = (path: string, content: string) => [`cat >${path} <<'END_OF_FILE'`, content.trimEnd(), 'END_OF_FILE'];
  const folder = '/opt/veren-kafka';
  return [
    'set -euo pipefail',
    'umask 077',
    `mkdir -p ${folder}`,
    ...file(
      '/etc/veren-kafka',
      Object.entries(settings)
        .map(([name, value]) => `${name}='${value}'`)
        .join('\n'),
    ),
    ...['host.sh', 'authority.sh'].flatMap((name) =>
      file(`${folder}/${name}`, readFileSync(join(FOLDER, name), 'utf8')),
    ),
    `bash ${folder}/host.sh install`,
  ];
}
