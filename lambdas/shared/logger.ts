import { VerenError } from '../../contract/errors.ts';

export type Log = (message: string, details?: unknown) => void;

/** One JSON object per line, as CloudWatch Logs Insights reads it. Of an error: name, message, code, stack and causes. */
export function jsonLog(functionName: string, write: (line: string) => void = console.log): Log {
  return (message, details) =>
    write(
      JSON.stringify({
        function: functionName,
        level: details instanceof Error ? 'error' : 'info',
        message,
        ...(details !== undefined && { details: plain(details) }),
      }),
    );
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    message: value.message,
    ...(value instanceof VerenError && { code: value.code }),
    stack: value.stack,
    ...(value.cause !== undefined && { cause: plain(value.cause) }),
  };
}
