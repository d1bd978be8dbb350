import { METRICS } from '../../contract/metrics.ts';
import type { Log } from '../shared/logger.ts';
import type { Measure } from '../shared/metrics.ts';
import type { Clock } from '../shared/ports.ts';
import type { ProjectorDeps } from './project.ts';

/**
 * How many different refusals are logged in an hour. A forger chooses the ids in its messages, so their number is
 * unbounded.
 */
const MOST_TOLD = 1_000;
const HOUR_MS = 3_600_000;

/** Counts dropped messages and logs each kind once an hour, since a forger may send a million of them. */
export function countRefused(measure: Measure, log: Log, clock: Clock): ProjectorDeps['refuse'] {
  const told = new Set<string>();
  let since = clock.now();
  return ({ topic, partition, offset, reason, deploymentId = '' }) => {
    measure({ [METRICS.refusedMessages]: 1 });
    const kind = `${topic} ${deploymentId} ${reason}`;
    if (Math.abs(clock.now() - since) >= HOUR_MS) {
      told.clear();
      since = clock.now();
    }
    if (told.has(kind) || told.size >= MOST_TOLD) return;
    told.add(kind);
    log.warn('A message was dropped', { topic, partition, offset, reason, deploymentId });
  };
}
