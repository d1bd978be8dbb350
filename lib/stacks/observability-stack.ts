import { CfnOutput, Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import {
  type CustomMonitoring,
  DefaultDashboardFactory,
  MonitoringFacade,
  SnsAlarmActionStrategy,
} from 'cdk-monitoring-constructs';
import type { Construct } from 'constructs';
import { METRIC_NAMESPACE, METRICS, type Metric as MetricName } from '../../contract/metrics.ts';
import { acknowledgeFindings } from '../constructs/acknowledge.ts';
import { type AlarmRow, alarmTable } from '../constructs/alarms.ts';
import type { DataStack } from './data-stack.ts';
import type { PipelineStack } from './pipeline-stack.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

export interface ObservabilityStackProps extends VerenStackProps {
  readonly data: DataStack;
  readonly pipeline: PipelineStack;
}

/** One dashboard, the alarms, and the topic that they go to. */
export class ObservabilityStack extends VerenStack {
  readonly alarms: readonly AlarmRow[];

  constructor(scope: Construct, id: string, { data, pipeline, ...props }: ObservabilityStackProps) {
    super(scope, id, { description: 'Veren: dashboard and alarms', ...props });
    this.addStackDependency(pipeline);
    const prefix = `veren-${this.config.stage}`;
    const topic = this.makeTopic();
    const { kafka } = this.config;
    this.alarms = alarmTable({
      stage: this.config.stage,
      projectorName: pipeline.functions['event-projector'].functionName,
      failedQueueName: pipeline.source.failedQueueName,
      undeliveredQueueName: pipeline.undeliveredQueueName,
      httpApiId: pipeline.http.api.apiId,
      ...(data.valkey && { replicationGroupId: data.valkey.replicationGroupId }),
      ...(data.msk && kafka.kind === 'msk' && { kafkaClusterName: data.msk.clusterName, kafkaBrokers: kafka.brokers }),
      ...(data.broker && { brokerGroupName: data.broker.groupName }),
    });

    const monitoring = new MonitoringFacade(this, 'Monitoring', {
      alarmFactoryDefaults: {
        alarmNamePrefix: prefix,
        actionsEnabled: true,
        action: new SnsAlarmActionStrategy({ onAlarmTopic: topic, onOkTopic: topic }),
        datapointsToAlarm: 1,
      },
      metricFactoryDefaults: { namespace: METRIC_NAMESPACE },
      dashboardFactory: new DefaultDashboardFactory(this, 'Dashboards', {
        dashboardNamePrefix: prefix,
        createDashboard: true,
        createSummaryDashboard: false,
        createAlarmDashboard: false,
        detailDashboardRange: Duration.hours(6),
      }),
    });
    monitoring.addLargeHeader(`Veren ${this.config.stage}`);
    monitoring.monitorCustom({
      alarmFriendlyName: 'Alarms',
      humanReadableName: 'What somebody should look at',
      metricGroups: this.alarms.map((row) => this.alarmGroup(prefix, row)),
    });
    monitoring.monitorCustom({
      alarmFriendlyName: 'Deployments',
      humanReadableName: 'Deployments',
      metricGroups: [
        this.group('Ended', 'Sum', [METRICS.succeeded, METRICS.failedByUser, METRICS.failedByPlatform]),
        this.group('Builds', 'Maximum', [METRICS.waitingBuilds, METRICS.activeBuilds, METRICS.stuckBuilds]),
        this.group('Oldest waiting job (s)', 'Maximum', [METRICS.cloneQueueAge, METRICS.buildQueueAge]),
      ],
    });
    // By name, since otherwise a removed function would be an export that this stack still imports.
    for (const { functionName } of Object.values(pipeline.functions))
      monitoring.monitorLambdaFunction({
        lambdaFunction: LambdaFunction.fromFunctionName(this, functionName, functionName),
      });
    new CfnOutput(this, 'AlarmTopicArn', { value: topic.topicArn });
  }

  private alarmGroup(
    prefix: string,
    row: AlarmRow,
  ): ConstructorParameters<typeof CustomMonitoring>[1]['metricGroups'][number] {
    return {
      title: row.name,
      metrics: [
        {
          metric: row.metric,
          alarmFriendlyName: row.name,
          addAlarm: {
            Critical: {
              threshold: row.threshold,
              comparisonOperator: row.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
              alarmNameOverride: `${prefix}-${row.name}`,
              alarmDescriptionOverride: `${row.description} Runbook: docs/operations.md#${row.runbook ?? row.name}`,
              treatMissingDataOverride: row.missing ?? TreatMissingData.NOT_BREACHING,
              datapointsToAlarm: row.periods,
              evaluationPeriods: row.periods,
            },
          },
        },
      ],
    };
  }

  private group(title: string, statistic: string, names: readonly MetricName[]) {
    return {
      title,
      metrics: names.map(
        (metricName) =>
          new Metric({
            namespace: METRIC_NAMESPACE,
            metricName,
            dimensionsMap: { Stage: this.config.stage },
            statistic,
            period: Duration.minutes(5),
          }),
      ),
    };
  }

  private makeTopic(): Topic {
    const topic = new Topic(this, 'AlarmTopic', {
      topicName: `veren-${this.config.stage}-alarms`,
      displayName: `Veren ${this.config.stage} alarms`,
      enforceSSL: true,
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'AWS:SourceAccount': this.account } },
      }),
    );
    if (this.config.alarms.email) topic.addSubscription(new EmailSubscription(this.config.alarms.email));
    acknowledgeFindings(topic, {
      'AwsSolutions-SNS2':
        'Messages are names and thresholds of alarms; a key of our own would need a policy for CloudWatch and cost more than the topic.',
    });
    return topic;
  }
}
