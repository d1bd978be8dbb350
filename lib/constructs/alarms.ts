import { Duration } from 'aws-cdk-lib';
import { Metric as CloudWatchMetric, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_NAMESPACE, METRICS, type Metric } from '../../contract/metrics.ts';

/**
 * The alarms, each for a state in which an operator has to act. The name of an alarm is `veren-<stage>-<name>`, and
 * each has a runbook entry of that name in docs/operations.md (a test checks it).
 */
export interface AlarmRow {
  readonly name: string;
  /**
   * Heading of the runbook entry.
   * @default - the name
   */
  readonly runbook?: string;
  /** What is wrong, in one sentence. */
  readonly description: string;
  readonly metric: CloudWatchMetric;
  readonly threshold: number;
  /** @default GREATER_THAN_THRESHOLD */
  readonly comparison?: ComparisonOperator;
  /** How many periods in a row. */
  readonly periods: number;
  /** @default NOT_BREACHING */
  readonly missing?: TreatMissingData;
}

export interface AlarmSources {
  readonly stage: string;
  readonly projectorName: string;
  readonly failedQueueName: string;
  readonly undeliveredQueueName: string;
  readonly httpApiId: string;
  /** Absent where Redis is not ours. */
  readonly replicationGroupId?: string;
  /** Absent where Kafka is not ours. */
  readonly kafkaClusterName?: string;
  /** Brokers are numbered from 1. */
  readonly kafkaBrokers?: number;
  /** Group of one instance that is the only broker; absent where Kafka is of another kind. */
  readonly brokerGroupName?: string;
}

const ownMetric = (stage: string, metricName: Metric, statistic: string, minutes = 1) =>
  new CloudWatchMetric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { Stage: stage },
    statistic,
    period: Duration.minutes(minutes),
  });
const awsMetric = (namespace: string, metricName: string, dimensionsMap: Record<string, string>, statistic: string) =>
  new CloudWatchMetric({
    namespace: `AWS/${namespace}`,
    metricName,
    dimensionsMap,
    statistic,
    period: Duration.minutes(5),
  });

export function alarmTable(sources: AlarmSources): AlarmRow[] {
  const { stage } = sources;
  return [
    {
      name: 'clone-queue-age',
      description: 'Deployments wait to be analyzed.',
      metric: ownMetric(stage, METRICS.cloneQueueAge, 'Maximum'),
      threshold: 300,
      periods: 5,
    },
    {
      name: 'build-queue-age',
      description: 'Builds wait although slots are free, or the limits are too low for the load.',
      metric: ownMetric(stage, METRICS.buildQueueAge, 'Maximum'),
      threshold: 1_800,
      periods: 10,
    },
    {
      name: 'sweep-silent',
      description: 'task-watcher does not run: nothing ends dead builds or hands over what was lost.',
      metric: ownMetric(stage, METRICS.activeBuilds, 'SampleCount', 5),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 2,
      missing: TreatMissingData.BREACHING,
    },
    {
      name: 'stuck-builds',
      description: 'Builds run longer than their timeout allows, and could not be stopped.',
      metric: ownMetric(stage, METRICS.stuckBuilds, 'Maximum'),
      threshold: 0,
      periods: 10,
    },
    {
      name: 'platform-failures',
      description: 'Deployments fail for reasons that are not their owners’.',
      metric: ownMetric(stage, METRICS.failedByPlatform, 'Sum', 15),
      threshold: 2,
      periods: 1,
    },
    {
      name: 'projector-failed-batches',
      description: 'Batches of events could not be projected and were given up: records and logs may lack something.',
      metric: awsMetric('SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: sources.failedQueueName }, 'Maximum'),
      threshold: 0,
      periods: 1,
    },
    {
      name: 'projector-lag',
      description: 'Events wait in Kafka: status and logs are late.',
      metric: awsMetric('Lambda', 'OffsetLag', { FunctionName: sources.projectorName }, 'Maximum'),
      threshold: 5_000,
      periods: 3,
    },
    {
      name: 'parked-messages',
      description: 'Messages that could not be read were parked.',
      metric: ownMetric(stage, METRICS.parkedMessages, 'Sum', 15),
      threshold: 0,
      periods: 1,
    },
    {
      name: 'refused-messages',
      description:
        'Messages were dropped whose writer is not proved: a forgery, or a signing secret that was changed wrongly.',
      metric: ownMetric(stage, METRICS.refusedMessages, 'Sum', 15),
      threshold: 0,
      periods: 1,
    },
    {
      name: 'undelivered-events',
      description:
        'Wakes of functions or task events were not delivered; the sweep makes up for them, but something is wrong.',
      metric: awsMetric(
        'SQS',
        'ApproximateNumberOfMessagesVisible',
        { QueueName: sources.undeliveredQueueName },
        'Maximum',
      ),
      threshold: 0,
      periods: 1,
    },
    {
      name: 'api-faults',
      description: 'The HTTP API answers 5xx.',
      metric: awsMetric('ApiGateway', '5xx', { ApiId: sources.httpApiId }, 'Sum'),
      threshold: 5,
      periods: 2,
    },
    ...engineAlarms(sources),
  ];
}

function engineAlarms({
  replicationGroupId,
  kafkaClusterName,
  kafkaBrokers = 0,
  brokerGroupName,
}: AlarmSources): AlarmRow[] {
  const redis = replicationGroupId && {
    name: 'redis-memory',
    description: 'Redis is nearly full: it evicts nothing, so it will refuse writes.',
    // Nodes of a group without sharding are named <group>-001, -002, …; the first is enough, since all hold the same.
    metric: awsMetric(
      'ElastiCache',
      'DatabaseMemoryUsagePercentage',
      { CacheClusterId: `${replicationGroupId}-001` },
      'Maximum',
    ),
    threshold: 75,
    periods: 3,
  };
  const kafka = Array.from({ length: kafkaClusterName ? kafkaBrokers : 0 }, (_, i) => ({
    name: `kafka-disk-${i + 1}`,
    runbook: 'kafka-disk',
    description: 'The disk of a Kafka broker is nearly full: it will stop.',
    metric: awsMetric(
      'Kafka',
      'KafkaDataLogsDiskUsed',
      { 'Cluster Name': kafkaClusterName as string, 'Broker ID': String(i + 1) },
      'Maximum',
    ),
    threshold: 80,
    periods: 3,
  }));
  const broker = brokerGroupName && {
    name: 'kafka-broker-down',
    description: 'The one broker is gone or was replaced: deployments wait, and running builds cannot report.',
    // One broker after another that does not answer is in service for most of the time, so a single look without one counts.
    metric: awsMetric('AutoScaling', 'GroupInServiceInstances', { AutoScalingGroupName: brokerGroupName }, 'Minimum'),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    periods: 1,
    missing: TreatMissingData.BREACHING,
  };
  return [...(redis ? [redis] : []), ...kafka, ...(broker ? [broker] : [])];
}
