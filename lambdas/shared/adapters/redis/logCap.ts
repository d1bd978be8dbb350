import type { LogEntry } from '../../ports.ts';

/** Bytes of lines that are kept of one deployment. What comes after is counted but not kept. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** What a line counts for. */
export const lineBytes = (entry: LogEntry) => Buffer.byteLength(entry.line);

/** The last line of a log that has reached the limit. */
export const lastWords = (entry: LogEntry, maxBytes: number): LogEntry => ({
  ...entry,
  stream: 'system',
  line: `The log has reached ${maxBytes} bytes; the rest of it is not kept.`,
});
