import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  SourceAccessConfigurationType,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { TOPICS, type Topic } from '../../contract/names.ts';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import type { KafkaConnection } from './kafka.ts';
import type { StageSettings } from './stage-settings.ts';
import type { FunctionNetwork, VerenFunction } from './veren-function.ts';

export interface ProjectorSourceProps {
  readonly settings: StageSettings;
  readonly projector: Config['projector'];
  readonly kafka: KafkaConnection;
  readonly fn: VerenFunction;
  readonly network: FunctionNetwork;
}

/** One group per topic: each mapping has its own offsets. */
const GROUPS: Readonly<Record<Topic, string>> = {
  [TOPICS.events]: 'veren-projector-events',
  [TOPICS.buildEvents]: 'veren-projector-build-events',
  [TOPICS.logs]: 'veren-projector-logs',
};

/**
 * Feeds all topics to the projector. Records that fail repeatedly go to a queue for an operator, and later ones are
 * processed.
 */
export class ProjectorSource extends Construct {
  /** Where batches end that could not be processed: metadata that points at the records. */
  readonly failed: Queue;
  /** The name as text, not as a reference to the queue. */
  readonly failedQueueName: string;

  constructor(scope: Construct, id: string, { settings, projector, kafka, fn, network }: ProjectorSourceProps) {
    super(scope, id);
    this.failedQueueName = `veren-${settings.stage}-projector-failed`;
    this.failed = new Queue(this, 'Failed', {
      queueName: this.failedQueueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledgeFindings(this.failed, {
      'AwsSolutions-SQS3': 'This queue is itself the place for what failed; an alarm watches it.',
    });
    this.failed.grantSendMessages(fn.role);
    kafka.grantRead(fn.role, GROUPS);
    // With the rights that every function in a VPC has, all that the mapping needs to put its pollers there.
    fn.role.addToPolicy(
      new PolicyStatement({
        sid: 'PollersInVpc',
        actions: ['ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'],
        resources: ['*'],
      }),
    );
    for (const topic of Object.values(TOPICS)) this.map(topic, { projector, kafka, fn, network });
  }

  private map(topic: Topic, { projector, kafka, fn, network }: Omit<ProjectorSourceProps, 'settings'>): void {
    const { pollers } = projector;
    const mapping = new EventSourceMapping(this, topic, {
      target: fn.fn,
      kafkaTopic: topic,
      kafkaConsumerGroupId: GROUPS[topic],
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: projector.batchSize,
      ...(projector.batchingWindowSeconds > 0 && {
        maxBatchingWindow: Duration.seconds(projector.batchingWindowSeconds),
      }),
      // Passes every message with an envelope of ours, of any version, since the projector parks unknown ones. Other
      // JSON is dropped.
      filters: [FilterCriteria.filter({ value: { v: FilterRule.exists(), deploymentId: FilterRule.exists() } })],
      onFailure: new SqsDlq(this.failed),
      ...(pollers && {
        provisionedPollerConfig: {
          minimumPollers: pollers.min,
          maximumPollers: pollers.max,
          // All topics share one event poller unit, since each unit costs.
          pollerGroupName: 'veren-projector',
        },
        // These four exist in provisioned mode only.
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
      }),
      ...(kafka.clusterArn
        ? { eventSourceArn: kafka.clusterArn }
        : {
            kafkaBootstrapServers: kafka.brokers.split(','),
            sourceAccessConfigurations: [
              ...network.vpc.selectSubnets(network.subnets).subnetIds.map((subnet) => ({
                type: SourceAccessConfigurationType.VPC_SUBNET,
                uri: `subnet:${subnet}`,
              })),
              {
                type: SourceAccessConfigurationType.VPC_SECURITY_GROUP,
                uri: `security_group:${network.securityGroup.securityGroupId}`,
              },
              ...(kafka.secret
                ? [{ type: SourceAccessConfigurationType.SASL_SCRAM_512_AUTH, uri: kafka.secret.secretArn }]
                : []),
              ...(kafka.authority
                ? [{ type: SourceAccessConfigurationType.SERVER_ROOT_CA_CERTIFICATE, uri: kafka.authority.secretArn }]
                : []),
            ],
          }),
    });
    // The mapping tests its rights when it is made.
    mapping.node.addDependency(fn.role);
  }
}
