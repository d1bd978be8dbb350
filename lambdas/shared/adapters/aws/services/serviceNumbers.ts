import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { ServiceCounts } from '../../../../../contract/services.ts';
import type { LogCalls, MetricCalls } from '../clients.ts';

const WINDOW_MS = 24 * 3_600_000;
const PERIOD_SECONDS = 3_600;
const MAX_PAGES = 10;

/**
 * Numbers of the last day: of the function URL's metrics, which count answers from 500 on as errors, and of the log, in which
 * Lambda writes `Init Duration` for every start. Source: Lambda developer guide, "Monitoring Lambda function URLs".
 */
export async function countRequests(
  metrics: MetricCalls,
  logs: LogCalls,
  { functionName, logGroupName, now }: { functionName: string; logGroupName: string; now: number },
): Promise<ServiceCounts> {
  const { GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
  const query = (Id: string, MetricName: string, Stat: string): MetricDataQuery => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/Lambda',
        MetricName,
        Dimensions: [{ Name: 'FunctionName', Value: functionName }],
      },
      Period: PERIOD_SECONDS,
      Stat,
    },
  });
  const { MetricDataResults = [] } = await metrics.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - WINDOW_MS),
      EndTime: new Date(now),
      MetricDataQueries: [
        query('requests', 'UrlRequestCount', 'Sum'),
        query('errors', 'Url5xxCount', 'Sum'),
        query('time', 'UrlRequestLatency', 'Sum'),
        query('longest', 'UrlRequestLatency', 'Maximum'),
      ],
    }),
  );
  const valuesOf = (id: string) => MetricDataResults.find(({ Id }) => Id === id)?.Values ?? [];
  const sumOf = (id: string) => valuesOf(id).reduce((sum, value) => sum + value, 0);
  const requests = sumOf('requests');
  return {
    since: new Date(now - WINDOW_MS).toISOString(),
    requests,
    errors: sumOf('errors'),
    coldStarts: await countStarts(logs, logGroupName, now - WINDOW_MS),
    durationMs: {
      mean: requests > 0 ? sumOf('time') / requests : 0,
      max: Math.max(0, ...valuesOf('longest')),
    },
  };
}

async function countStarts(logs: LogCalls, logGroupName: string, startTime: number): Promise<number> {
  const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  let count = 0;
  let nextToken: string | undefined;
  try {
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await logs.send(
        new FilterLogEventsCommand({
          logGroupName,
          startTime,
          filterPattern: '"REPORT RequestId" "Init Duration"',
          ...(nextToken !== undefined && { nextToken }),
        }),
      );
      count += page.events?.length ?? 0;
      nextToken = page.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
  }
  return count;
}
