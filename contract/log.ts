import { VerenError } from './errors.ts';

/** Fields by which log lines are searched: the same names in every function, in the builders and on the laptop. */
export interface LogFields {
  /** Which function, or `builder`, or `laptop`. */
  readonly function?: string | undefined;
  /** Lambda's id of one invocation. */
  readonly requestId?: string | undefined;
  /** The id of the HTTP request that everything began with (`correlation.ts`). */
  readonly correlationId?: string | undefined;
  readonly deploymentId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly target?: string | undefined;
  readonly attempt?: number | undefined;
  /** What was thrown. */
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

export type LogLevel = 'INFO' | 'WARN' | 'ERROR';

/** A log line as JSON. The names are those of Powertools for AWS Lambda, so queries made for those work here. */
export type LogRecord = { readonly level: LogLevel; readonly message: string } & LogFields;

/** Makes a log line; an error becomes its name, message, code, stack and causes. */
export function logRecord(level: LogLevel, message: string, fields: LogFields): LogRecord {
  const { error, ...others } = fields;
  return { level, message, ...others, ...(error !== undefined && { error: plainError(error) }) };
}

/** The log line as one line of JSON. It never throws: values that are no JSON become text. */
export function jsonOf(line: LogRecord): string {
  try {
    return JSON.stringify(line);
  } catch {
    return JSON.stringify(Object.fromEntries(Object.entries(line).map(([name, value]) => [name, String(value)])));
  }
}

function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  return {
    name: error.name,
    message: error.message,
    ...(error instanceof VerenError && { code: error.code }),
    stack: error.stack,
    ...(error.cause !== undefined && depth < 5 && { cause: plainError(error.cause, depth + 1) }),
  };
}
