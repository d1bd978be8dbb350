import { ERRORS, type ErrorCode } from '../../contract/errors.ts';
import { METRICS, type Metric } from '../../contract/metrics.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import type { Measure } from '../shared/metrics.ts';
import type { DeploymentStore } from '../shared/ports.ts';

/**
 * A store that counts deployments as they end. Only the fold that makes a record terminal counts it, since events may
 * be delivered more than once.
 */
export function measuredStore(store: DeploymentStore, measure: Measure): DeploymentStore {
  return {
    ...store,
    async fold(deploymentId, events) {
      const folded = await store.fold(deploymentId, events);
      if (folded && isTerminal(folded.after.status) && !isTerminal(folded.before?.status ?? 'queued')) {
        const metric = outcomeMetric(folded.after);
        if (metric) measure({ [metric]: 1 });
      }
      return folded;
    },
  };
}

/** The metric that an end counts in; a cancellation is no failure. */
function outcomeMetric(record: DeploymentRecord): Metric | null {
  if (record.status === 'succeeded') return METRICS.succeeded;
  if (record.status !== 'failed') return null;
  const codes = [record.error, record.builds.frontend?.error, record.builds.backend?.error].map((e) => e?.code);
  const platform = codes.some((code) => code !== undefined && ERRORS[code as ErrorCode]?.fault !== 'user');
  return platform ? METRICS.failedByPlatform : METRICS.failedByUser;
}
