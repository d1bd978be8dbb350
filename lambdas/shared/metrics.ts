import { METRIC_NAMESPACE, type Metric } from '../../contract/metrics.ts';
import type { Clock } from './ports.ts';

export type Measure = (values: Partial<Record<Metric, number>>) => void;

/**
 * Writes metrics as a log line in CloudWatch's embedded metric format: no API call, and no right needed but to log.
 * Source: CloudWatch user guide, "Embedded metric format specification".
 */
export function embeddedMetrics(stage: string, clock: Clock, write: (line: string) => void = console.log): Measure {
  return (values) => {
    const names = Object.keys(values);
    if (names.length === 0) return;
    write(
      JSON.stringify({
        _aws: {
          Timestamp: clock.now(),
          CloudWatchMetrics: [
            { Namespace: METRIC_NAMESPACE, Dimensions: [['Stage']], Metrics: names.map((Name) => ({ Name })) },
          ],
        },
        Stage: stage,
        ...values,
      }),
    );
  };
}
