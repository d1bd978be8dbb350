import { AsyncLocalStorage } from 'node:async_hooks';
import { jsonOf, type LogFields, type LogLevel, type LogRecord, logRecord } from '../../contract/log.ts';

export type { LogFields };

/** Messages are sentences without ids and names, which are fields: so equal events have equal messages. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  /** For faults that pass by themselves, or that a user has caused. */
  warn(message: string, fields?: LogFields): void;
  /** For faults that an operator should look into. */
  error(message: string, fields?: LogFields): void;
  /** The same log, with these fields in every line. */
  with(fields: LogFields): Log;
}

/** Fields of the work that is going on, added to its log lines. A process may do several things at once. */
const working = new AsyncLocalStorage<LogFields>();

/** Runs a function; all lines that are logged in it, and in what it calls, have these fields. */
export const withLogFields = <T>(fields: LogFields, run: () => T): T =>
  working.run({ ...working.getStore(), ...fields }, run);

/** A log that hands each line to `write`. */
export function createLog(write: (line: LogRecord) => void, own: LogFields = {}): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    write(logRecord(level, message, { ...own, ...working.getStore(), ...fields }));
  return {
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
    with: (fields) => createLog(write, { ...own, ...fields }),
  };
}

/** One JSON object per line, as CloudWatch Logs Insights reads it. CloudWatch adds the time. */
export const jsonLog = (functionName: string, write: (line: string) => void = console.log): Log =>
  createLog((line) => write(jsonOf(line)), { function: functionName });

/** Wraps a handler, so that its log lines have Lambda's request id. */
export const withRequestId =
  <E, C, R>(handler: (event: E, context?: C) => Promise<R>) =>
  (event: E, context?: C & { readonly awsRequestId?: string }): Promise<R> =>
    withLogFields({ requestId: context?.awsRequestId }, () => handler(event, context));
