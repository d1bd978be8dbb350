import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { ServiceCounts } from '../../../../../../contract/services.ts';
import type { MetricCalls } from '../../clients.ts';

const WINDOW_MS = 24 * 3_600_000;
const PERIOD_SECONDS = 3_600;
/** Queries of one call are 500 at most; a version takes four. */
const MAX_VERSIONS = 100;

/** What the load balancer says of each version's target group, of the last day; nothing sleeps, so nothing starts cold. */
export async function countBalanced(
  metrics: MetricCalls,
  { listenerArn, targetGroupArns, now }: { listenerArn: string; targetGroupArns: readonly string[]; now: number },
): Promise<ServiceCounts> {
  const { GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
  // arn:…:listener/app/<name>/<id>/<id of the listener>
  const balancer = listenerArn.split('/').slice(1, 4).join('/');
  const since = new Date(now - WINDOW_MS);
  const groups = targetGroupArns.slice(0, MAX_VERSIONS).map((arn) => arn.slice(arn.indexOf(':targetgroup/') + 1));
  const query = (Id: string, group: string, MetricName: string, Stat: string): MetricDataQuery => ({
    Id,
    MetricStat: {
      Metric: {
        ...{ Namespace: 'AWS/ApplicationELB', MetricName },
        Dimensions: [
          { Name: 'LoadBalancer', Value: balancer },
          { Name: 'TargetGroup', Value: group },
        ],
      },
      ...{ Period: PERIOD_SECONDS, Stat },
    },
  });
  const { MetricDataResults = [] } =
    groups.length === 0
      ? {}
      : await metrics.send(
          new GetMetricDataCommand({
            ...{ StartTime: since, EndTime: new Date(now) },
            MetricDataQueries: groups.flatMap((group, i) => [
              query(`requests${i}`, group, 'RequestCount', 'Sum'),
              query(`errors${i}`, group, 'HTTPCode_Target_5XX_Count', 'Sum'),
              query(`time${i}`, group, 'TargetResponseTime', 'Sum'),
              query(`longest${i}`, group, 'TargetResponseTime', 'Maximum'),
            ]),
          }),
        );
  const valuesOf = (name: string) =>
    MetricDataResults.filter(({ Id = '' }) => Id.replace(/\d+$/, '') === name).flatMap(({ Values = [] }) => Values);
  const sumOf = (name: string) => valuesOf(name).reduce((sum, value) => sum + value, 0);
  const requests = sumOf('requests');
  return {
    ...{ since: since.toISOString(), requests, errors: sumOf('errors'), coldStarts: 0 },
    durationMs: {
      mean: requests > 0 ? (sumOf('time') * 1_000) / requests : 0,
      max: Math.max(0, ...valuesOf('longest')) * 1_000,
    },
  };
}
