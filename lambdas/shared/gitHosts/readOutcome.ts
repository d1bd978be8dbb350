import { VerenError } from '../../../contract/errors.ts';
import { HostBusyError, tokenRefused } from './askHost.ts';
import type { HostAnswer } from './hostAdapter.ts';

/** The longest wait that a host is granted. */
const MAX_WAIT_MS = 6 * 3_600_000;
const MIN_WAIT_MS = 1_000;
const MAX_REASON = 200;

/**
 * Checks an answer. Throws HostBusyError for a rate limit or a fault of the host, GIT_TOKEN_REFUSED where the token does
 * not reach far enough, GIT_REPORT_REFUSED for everything else that was not taken.
 */
export function requireTaken(host: string, answer: HostAnswer, token: string, now: number): void {
  const { status } = answer;
  const outcome = readOutcome(host, answer, token, now);
  if (outcome.kind === 'taken') return;
  if (outcome.kind === 'busy') throw outcome.error;
  const { reason } = outcome;
  if (status === 401 || status === 403) throw tokenRefused(host, reason);
  if (status >= 300 && status < 400)
    throw new VerenError('GIT_REPORT_REFUSED', { host, reason: `${reason} (a redirect, as after a renaming)` });
  throw new VerenError('GIT_REPORT_REFUSED', { host, reason });
}

export type HostOutcome =
  | { readonly kind: 'taken' }
  /** A rate limit or a fault of the host. */
  | { readonly kind: 'busy'; readonly error: HostBusyError }
  /** The reason is one line, without the token. */
  | { readonly kind: 'refused'; readonly reason: string };

export function readOutcome(host: string, answer: HostAnswer, token: string, now: number): HostOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const busy = (reason: string): HostOutcome => ({
    kind: 'busy',
    error: new HostBusyError(host, reason, readWait(answer, now)),
  });
  if (isLimited(answer)) return busy('it limits calls of this token');
  if (status >= 500 || status === 408 || status === 425) return busy(`it answered ${status}`);
  const reason = [`it answered ${status}`, readReason(answer.body, token)].filter(Boolean).join(': ');
  return { kind: 'refused', reason };
}

/**
 * GitHub answers 403 for its limits, too. Source: GitHub's REST documentation, "Rate limits for the REST API": a limit is
 * told by `x-ratelimit-remaining: 0`, a secondary one by `retry-after` or by its message.
 */
export function isLimited({ status, headers, body }: HostAnswer): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  const message = messageOf(body) ?? '';
  return (
    headers['retry-after'] !== undefined ||
    headers['x-ratelimit-remaining'] === '0' ||
    /secondary rate limit|rate limit exceeded|abuse detection/i.test(message)
  );
}

/** Undefined where the host does not say how long to wait. */
export function readWait({ headers }: Pick<HostAnswer, 'headers'>, now: number): number | undefined {
  const after = textOf(headers['retry-after']);
  if (after !== undefined) {
    const seconds = /^\d{1,9}$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - now;
    if (Number.isFinite(seconds)) return clampWait(seconds);
  }
  const reset = textOf(headers['x-ratelimit-reset']) ?? textOf(headers['ratelimit-reset']);
  return reset !== undefined && /^\d{1,12}$/.test(reset) ? clampWait(Number(reset) * 1_000 - now) : undefined;
}

const clampWait = (ms: number) => Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, ms));
const textOf = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header);

const messageOf = (body: unknown): string | undefined => {
  const { message, error } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const found = message ?? error;
  return found === undefined ? undefined : typeof found === 'string' ? found : JSON.stringify(found);
};

/** What the host says, which is foreign text: one short line, without the token. */
function readReason(body: unknown, token: string): string | undefined {
  return messageOf(body)
    ?.replaceAll(token, '…')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, MAX_REASON)
    .trim();
}
