import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnCluster, CfnConfiguration } from 'aws-cdk-lib/aws-msk';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import { KafkaAccess } from './kafka.ts';
import type { StageSettings } from './stage-settings.ts';

export interface MskClusterProps {
  readonly settings: StageSettings;
  readonly kafka: Extract<Config['kafka'], { kind: 'msk' }>;
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

/** How many copies a topic has, and how many must have a message before it counts as written. */
export function replication(brokers: number): { factor: number; minInSync: number } {
  // With two brokers one must be enough: MSK restarts brokers one at a time, and writing must go on.
  return brokers >= 3 ? { factor: 3, minInSync: 2 } : { factor: 2, minInSync: 1 };
}

/** Id of the singleton behind `AwsCustomResource`. */
const AWS_CALLS = `AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`;

/** MSK provisioned: TLS everywhere, IAM the only way in, broker logs, no topics by accident. */
export class MskCluster extends Construct {
  readonly access: KafkaAccess;
  readonly clusterName: string;

  constructor(scope: Construct, id: string, { settings, kafka, ...props }: MskClusterProps) {
    super(scope, id);
    this.clusterName = `veren-${settings.stage}`;
    const { factor, minInSync } = replication(kafka.brokers);
    const logs = new LogGroup(this, 'BrokerLogs', {
      logGroupName: `/veren/${settings.stage}/kafka`,
      retention: settings.logRetention,
      removalPolicy: settings.removalPolicy,
    });
    const configuration = new CfnConfiguration(this, 'Configuration', {
      name: this.clusterName,
      serverProperties: [
        'auto.create.topics.enable=false',
        'delete.topic.enable=true',
        `default.replication.factor=${factor}`,
        `min.insync.replicas=${minInSync}`,
        `num.partitions=${kafka.partitions}`,
        'unclean.leader.election.enable=false',
        'compression.type=producer',
      ].join('\n'),
    });
    const cluster = new CfnCluster(this, 'Cluster', {
      clusterName: this.clusterName,
      kafkaVersion: kafka.version,
      numberOfBrokerNodes: kafka.brokers,
      brokerNodeGroupInfo: {
        instanceType: kafka.instanceType,
        clientSubnets: props.vpc.selectSubnets(props.subnets).subnetIds,
        securityGroups: [props.securityGroup.securityGroupId],
        connectivityInfo: { publicAccess: { type: 'DISABLED' } },
        storageInfo: { ebsStorageInfo: { volumeSize: kafka.storageGiB } },
      },
      clientAuthentication: {
        sasl: { iam: { enabled: true }, scram: { enabled: false } },
        unauthenticated: { enabled: false },
      },
      configurationInfo: { arn: configuration.attrArn, revision: configuration.attrLatestRevisionRevision },
      encryptionInfo: { encryptionInTransit: { clientBroker: 'TLS', inCluster: true } },
      enhancedMonitoring: 'DEFAULT',
      loggingInfo: { brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: logs.logGroupName } } },
    });
    cluster.applyRemovalPolicy(settings.removalPolicy);
    configuration.applyRemovalPolicy(RemovalPolicy.DESTROY);

    this.access = KafkaAccess.iam(this.bootstrapBrokers(cluster, settings), cluster.attrArn);
  }

  /** CloudFormation does not tell a cluster's brokers; the MSK API does. */
  private bootstrapBrokers(cluster: CfnCluster, settings: StageSettings): string {
    const call = {
      service: 'Kafka',
      action: 'getBootstrapBrokers',
      parameters: { ClusterArn: cluster.attrArn },
      outputPaths: ['BootstrapBrokerStringSaslIam'],
      physicalResourceId: PhysicalResourceId.of('bootstrap-brokers'),
    };
    const brokers = new AwsCustomResource(this, 'Brokers', {
      onCreate: call,
      onUpdate: call,
      installLatestAwsSdk: false,
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['kafka:GetBootstrapBrokers'], resources: [cluster.attrArn] }),
      ]),
      logGroup: new LogGroup(this, 'BrokersLogs', {
        retention: settings.logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
    // CDK makes one function per stack for all such calls.
    acknowledge(Stack.of(this).node.findChild(AWS_CALLS), {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
        "CDK's AwsCustomResource: writes its log, and may make one call.",
    });
    return brokers.getResponseField('BootstrapBrokerStringSaslIam');
  }
}
