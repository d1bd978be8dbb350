import type { LogLine } from '../../../../contract/events.ts';
import type { LogEntry } from '../../ports.ts';

/** Limit for the bytes of one deployment's log. Later lines are counted but not stored. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** The size of a line as the limit counts it. */
export const lineBytes = (entry: LogEntry) => Buffer.byteLength(entry.line);

/** Whether this is what `lastWords` makes. No builder's own line of that stream says so. */
export const isLastWords = ({ stream, line }: LogLine) =>
  stream === 'system' && /^The log has reached \d+ bytes; the rest of it is not kept\.$/.test(line);

/** The last line of a log that has reached the limit. */
export const lastWords = (entry: LogEntry, maxBytes: number): LogEntry => ({
  ...entry,
  stream: 'system',
  line: `The log has reached ${maxBytes} bytes; the rest of it is not kept.`,
});
