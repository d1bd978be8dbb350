import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnCluster, CfnConfiguration } from 'aws-cdk-lib/aws-msk';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledgeAwsCalls } from './aws-calls.ts';
import { mayChange } from './cross-stack.ts';
import { KafkaConnection } from './kafka.ts';
import { stageLogGroup } from './log-group.ts';
import { keepWithData, type StageSettings } from './stage-settings.ts';

export interface MskClusterProps {
  readonly settings: StageSettings;
  readonly kafka: Extract<Config['kafka'], { kind: 'msk' }>;
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

/** How many copies a topic has, and how many must have a message before it counts as written. */
export function replicationFor(brokers: number): { factor: number; minInSync: number } {
  const factor = Math.min(3, brokers);
  // One copy may always be missing: MSK restarts brokers one at a time, and writing must go on.
  return { factor, minInSync: Math.max(1, factor - 1) };
}

/** A provisioned MSK cluster: TLS everywhere, login by IAM only, broker logs, no automatic topics. */
export class MskCluster extends Construct {
  readonly access: KafkaConnection;
  readonly clusterName: string;

  constructor(scope: Construct, id: string, { settings, kafka, ...props }: MskClusterProps) {
    super(scope, id);
    this.clusterName = `veren-${settings.stage}`;
    const logs = stageLogGroup(this, 'BrokerLogs', settings, `/veren/${settings.stage}/kafka`);
    const configuration = new CfnConfiguration(this, 'Configuration', {
      name: this.clusterName,
      serverProperties: [
        'auto.create.topics.enable=false',
        'delete.topic.enable=true',
        // For Kafka's own topics: each keeps the copies that it was made with, and none may need all of them. Nothing here
        // depends on the number of brokers: MSK would have to change brokers and settings at once, and refuses that.
        'min.insync.replicas=1',
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
    keepWithData(settings, cluster, configuration);

    mayChange(settings, cluster);
    this.access = KafkaConnection.iam(this.bootstrapBrokers(cluster, settings), cluster.attrArn);
  }

  /** Asks the MSK API for a cluster's brokers, which CloudFormation does not give. */
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
      logGroup: stageLogGroup(this, 'BrokersLogs', settings),
    });
    acknowledgeAwsCalls(this);
    // With a new broker the list changes, and its order is not guaranteed.
    mayChange(settings, brokers);
    return brokers.getResponseField('BootstrapBrokerStringSaslIam');
  }
}
