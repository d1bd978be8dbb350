import type { LogRecord } from '../../contract/log.ts';
import { createLog, type Log } from '../../lambdas/shared/logger.ts';

/** A log that nobody reads. */
export const silentLog: Log = createLog(() => undefined);

/** A log that keeps its lines. */
export function recordingLog(): { readonly log: Log; readonly lines: LogRecord[] } {
  const lines: LogRecord[] = [];
  return { log: createLog((line) => void lines.push(line)), lines };
}
