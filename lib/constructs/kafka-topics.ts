import { CustomResource, Duration } from 'aws-cdk-lib';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { TOPICS } from '../../contract/names.ts';
import { acknowledgeFindings, acknowledgeWildcards } from './acknowledge.ts';
import type { KafkaConnection } from './kafka.ts';
import { stageLogGroup } from './log-group.ts';
import type { StageSettings } from './stage-settings.ts';
import { type FunctionNetwork, VerenFunction } from './veren-function.ts';

export interface KafkaTopicsProps {
  readonly settings: StageSettings;
  readonly kafka: KafkaConnection;
  readonly network: FunctionNetwork;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInSyncReplicas: number;
  readonly eventRetention: Duration;
  readonly logRetention: Duration;
}

/**
 * The three topics, which a deployment makes and configures. They hold all events, so deleting the stack leaves them.
 */
export class KafkaTopics extends Construct {
  constructor(scope: Construct, id: string, props: KafkaTopicsProps) {
    super(scope, id);
    const admin = new VerenFunction(this, 'Admin', {
      name: 'kafka-topics',
      settings: props.settings,
      description: 'Makes the Kafka topics when the stack is deployed',
      environment: props.kafka.environment(),
      timeout: Duration.minutes(5),
      memoryMiB: 256,
      network: props.network,
    });
    props.kafka.grantManageTopics(admin.role, Object.values(TOPICS));
    const provider = new Provider(this, 'Provider', {
      onEventHandler: admin.fn,
      logGroup: stageLogGroup(this, 'ProviderLogs', props.settings),
    });
    acknowledgeFindings(provider, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
        "CDK's provider framework: writes its own log and invokes one function.",
      'AwsSolutions-L1': "The runtime is chosen by CDK's provider framework and moves with aws-cdk-lib.",
    });
    acknowledgeWildcards(
      provider,
      [`${admin.fn.functionArn}:*`],
      "CDK's provider framework may invoke the versions of the one function that it was made for.",
    );
    const topicSettings = (name: string, retention: Duration) => ({
      name,
      partitions: String(props.partitions),
      replicationFactor: String(props.replicationFactor),
      config: {
        'retention.ms': String(retention.toMilliseconds()),
        'min.insync.replicas': String(props.minInSyncReplicas),
      },
    });
    new CustomResource(this, 'Topics', {
      resourceType: 'Custom::KafkaTopics',
      serviceToken: provider.serviceToken,
      properties: {
        topics: [
          topicSettings(TOPICS.events, props.eventRetention),
          topicSettings(TOPICS.buildEvents, props.eventRetention),
          topicSettings(TOPICS.logs, props.logRetention),
        ],
        // The topics' cluster: with another one they must be made again.
        brokers: props.kafka.brokers,
      },
    });
  }
}
