import { AsyncLocalStorage } from 'node:async_hooks';
import { jsonOf, type LogFields, type LogLevel, type LogRecord, logRecord } from '../../contract/log.ts';

export type { LogFields };

/** Messages are sentences without ids and names in them: those are fields, so that equal events have equal messages. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  /** Something that cures itself, or that a user did. */
  warn(message: string, fields?: LogFields): void;
  /** Something that somebody should look into. */
  error(message: string, fields?: LogFields): void;
  /** The same log, with these fields in every line. */
  with(fields: LogFields): Log;
}

/** What is being worked on, for every line that is written meanwhile: a process may work on several things at once. */
const working = new AsyncLocalStorage<LogFields>();

/** Runs something with fields for all lines that are logged in it, however deep. */
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

/** A handler whose lines bear the id that Lambda gave its invocation. */
export const withRequestId =
  <E, C, R>(handler: (event: E, context?: C) => Promise<R>) =>
  (event: E, context?: C & { readonly awsRequestId?: string }): Promise<R> =>
    withLogFields({ requestId: context?.awsRequestId }, () => handler(event, context));
