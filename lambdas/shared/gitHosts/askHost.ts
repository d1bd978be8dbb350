import type { IncomingMessage } from 'node:http';
import { VerenError } from '../../../contract/errors.ts';
import { type CheckedTarget, checkTarget, readShort, sendPinned } from '../repo/pinnedRequest.ts';
import type { HostAnswer, HostCall } from './hostAdapter.ts';
import type { HostApi } from './hostApi.ts';

/** Time for one call, with its look-up and the whole of its answer. */
export const CALL_MS = 10_000;
/** A list of 100 comments of the longest kind. */
const MAX_ANSWER = 8 * 1024 * 1024;

/** What hosts refuse in a header, and what could end one. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** The host cannot take a call now, and may later. `waitMs` is what it asks for; absent where it does not say. */
export class HostBusyError extends Error {
  readonly host: string;
  readonly waitMs: number | undefined;
  /** There is nothing at its address that could be spoken to, which waiting seldom changes. */
  readonly isAbsent: boolean;

  constructor(host: string, reason: string, waitMs?: number, isAbsent = false) {
    super(reason);
    this.isAbsent = isAbsent;
    this.name = 'HostBusyError';
    this.host = host;
    this.waitMs = waitMs;
  }
}

/**
 * One call of a git host's API, with the token. Its addresses are checked and pinned; no redirect is followed, since the
 * token would go along; time and size are limited. Throws HostBusyError where no answer was got, VerenError where the
 * stage does not allow the address. Neither ever holds the token.
 */
export async function askHost(
  api: HostApi,
  call: HostCall,
  authorize: (token: string) => Readonly<Record<string, string>>,
  token: string,
): Promise<HostAnswer> {
  if (!TOKEN.test(token))
    throw tokenRefused(new URL(api.url).host, 'the stored token holds characters that no token has');
  return callHost(api, call, authorize(token));
}

/** The same call with other headers, or none. */
export async function callHost(
  api: HostApi,
  call: HostCall,
  headersOfCall: Readonly<Record<string, string>>,
): Promise<HostAnswer> {
  const { host } = new URL(api.url);
  const signal = AbortSignal.any([AbortSignal.timeout(api.callMs ?? CALL_MS), ...(api.signal ? [api.signal] : [])]);
  let answer: IncomingMessage;
  try {
    const checked: CheckedTarget = await checkTarget(api.url + call.path, { ...api, signal });
    answer = await sendPinned(checked, {
      method: call.method,
      headers: {
        ...headersOfCall,
        'user-agent': 'veren',
        ...(call.body && { 'content-type': 'application/json' }),
      },
      body: call.body && JSON.stringify(call.body),
      signal,
    });
  } catch (error) {
    if (error instanceof VerenError && error.code === 'GIT_HOST_FORBIDDEN') throw error;
    if (signal.aborted) throw new HostBusyError(host, 'it did not answer in time');
    throw new HostBusyError(host, reasonOf(error), undefined, isAbsent(error));
  }
  const { statusCode: status = 0, headers } = answer;
  return { status, headers, body: await readBody(answer) };
}

/** Undefined where it is no JSON, too long, or was cut off: what counts is in the status. */
async function readBody(answer: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse(await readShort(answer, MAX_ANSWER));
  } catch {
    return undefined;
  } finally {
    answer.destroy();
  }
}

export const tokenRefused = (host: string, reason: string) => new VerenError('GIT_TOKEN_REFUSED', { host, reason });

/** Names without addresses, closed ports, unroutable addresses, wrong certificates, and what speaks no TLS or HTTP. */
const ABSENT =
  /^(?:ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EINVAL|EACCES|EPROTO|HPE_\w+|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/;

const isAbsent = (error: unknown): boolean =>
  error instanceof VerenError
    ? error.code === 'REPO_NOT_FOUND'
    : ABSENT.test(String((error as NodeJS.ErrnoException).code));

/** The name of a network fault, without what it holds: paths and addresses are no business of a project's view. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof VerenError) return error.code === 'REPO_NOT_FOUND' ? 'its name does not exist' : error.message;
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`;
};
