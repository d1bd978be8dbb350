import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { GitPolicy, GitProtocol } from './gitPolicy.ts';
import { pinAddress, type Resolve, requireAllowedAddress, resolvePublicAddresses } from './hostAddress.ts';
import { parseUrl } from './parseUrl.ts';

export interface PinnedRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** A URL that may be asked, and the addresses that the connection is pinned to. */
export interface CheckedTarget {
  readonly target: URL;
  readonly addresses: readonly string[];
}

const SILENCE_MS = 60_000;
const MAX_HEADERS = 32 * 1_024;

/**
 * Checks scheme, host and addresses as for a git URL; a query is allowed, since stores sign their URLs by it. Throws
 * VerenError for a forbidden address, else an Error.
 */
export async function checkTarget(
  text: string,
  options: { readonly policy: GitPolicy; readonly resolve?: Resolve | undefined; readonly signal: AbortSignal },
): Promise<CheckedTarget> {
  const { policy, resolve, signal } = options;
  const target = parseUrl(text);
  if (!target) throw new Error('it names what is no URL');
  if (!policy.protocols.includes(target.protocol.slice(0, -1) as GitProtocol))
    throw new Error(`the scheme "${target.protocol.slice(0, -1)}" is not allowed`);
  if (target.username !== '' || target.password !== '') throw new Error('its URL holds a user name or password');
  target.hostname = target.hostname.replace(/\.$/, '');
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host)) requireAllowedAddress(target.hostname, host, policy);
  // The error for a URL that does not resolve names only its origin, since paths and queries of stores hold signatures.
  return { target, addresses: await resolvePublicAddresses(new URL(target.origin), policy, resolve, signal) };
}

/** Sends one request to a checked URL, connected to one of its checked addresses. No redirect is followed. */
export function sendPinned({ target, addresses }: CheckedTarget, request: PinnedRequest): Promise<IncomingMessage> {
  const { method, headers, body, signal } = request;
  const open = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asking = open(
      target,
      { method, headers, signal, maxHeaderSize: MAX_HEADERS, timeout: SILENCE_MS, ...pinAddress(addresses) },
      resolve,
    );
    asking.on('timeout', () => asking.destroy(new Error(`it was silent for ${SILENCE_MS / 1_000} s`)));
    asking.on('error', reject);
    asking.end(body);
  });
}

/** The whole of a short answer. Throws where it is longer. */
export async function readShort(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new Error(`it answers with more than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
