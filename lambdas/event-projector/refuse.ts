import { METRICS } from '../../contract/metrics.ts';
import type { Log } from '../shared/logger.ts';
import type { Measure } from '../shared/metrics.ts';
import type { ProjectorDeps } from './project.ts';

/** Different refusals that are remembered as told. */
const REMEMBERED = 1_000;

/** Counts messages that were dropped, and tells of each kind once: whoever forges may send a million. */
export function countRefused(measure: Measure, log: Log): ProjectorDeps['refuse'] {
  const told = new Set<string>();
  return ({ topic, partition, offset, reason, deploymentId = '' }) => {
    measure({ [METRICS.refusedMessages]: 1 });
    const kind = `${topic} ${deploymentId} ${reason}`;
    if (told.has(kind)) return;
    if (told.size >= REMEMBERED) told.clear();
    told.add(kind);
    log(`message ${topic}/${partition}@${offset} was dropped: ${reason}`, { deploymentId });
  };
}
