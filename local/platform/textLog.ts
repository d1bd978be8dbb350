import { terminalText } from '../../cli/client/terminalText.ts';
import type { LogRecord } from '../../contract/log.ts';
import { createLog, type Log } from '../../lambdas/shared/logger.ts';

/**
 * The log of the platform on a laptop: a line of text per event, followed by the fields of the same line on AWS as
 * `name=value`. An error is shown by its message, and one without a code also by its stack.
 */
export const textLog = (write: (line: string) => void = console.error, now: () => number = Date.now): Log =>
  createLog((line) => write(`${new Date(now()).toISOString()} ${textOf(line)}`));

function textOf({ level, message, function: name, error, ...fields }: LogRecord): string {
  const told = Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : `${field}=${show(value)}`,
  );
  const head = [level.padEnd(5), ...(name ? [`${name}:`] : []), message, ...told].join(' ');
  return terminalText(error === undefined ? head : `${head} error=${show(messageOf(error))}`, false) + stackOf(error);
}

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: unknown;
}
const isPlain = (error: unknown): error is PlainError => typeof error === 'object' && error !== null && 'name' in error;

function messageOf(error: unknown): unknown {
  if (!isPlain(error)) return error;
  const cause = isPlain(error.cause) ? `: ${messageOf(error.cause)}` : '';
  return `${error.code ?? error.name}: ${error.message}${cause}`;
}

function stackOf(error: unknown): string {
  if (!isPlain(error) || error.code !== undefined || !error.stack) return '';
  const frames = error.stack.split('\n').filter((frame) => /^\s+at /.test(frame));
  return frames.map((frame) => `\n${terminalText(frame, false)}`).join('');
}

/** A word as it is; anything else as JSON, which keeps a line one line. */
const show = (value: unknown) =>
  typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? String(value));
