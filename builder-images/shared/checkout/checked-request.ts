import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { GitPolicy, GitProtocol } from '../../../lambdas/shared/repo/gitPolicy.ts';
import {
  pinAddress,
  type Resolve,
  requireAllowedAddress,
  resolvePublicAddresses,
} from '../../../lambdas/shared/repo/hostAddress.ts';

export interface CheckedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly policy: GitPolicy;
  readonly resolve?: Resolve | undefined;
  readonly signal: AbortSignal;
}

const SILENCE_MS = 60_000;
const MAX_HEADERS = 32 * 1_024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * One request to a URL that a repository or its host names. Every address, also of redirects, is checked by the policy
 * and pinned for the connection; headers go to the first origin only. Throws VerenError for a forbidden address, else
 * an Error.
 */
export async function checkedRequest(o: CheckedRequest): Promise<IncomingMessage> {
  let { url, headers } = o;
  for (let hop = 0; ; hop++) {
    const { target, addresses } = await checkedTarget(url, o);
    const answer = await send(o, target, addresses, headers);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.statusCode ?? 0) || location === undefined) return answer;
    answer.destroy();
    if (hop === o.policy.maxRedirects) throw new Error('it redirects too often');
    if (!URL.canParse(location, target.href)) throw new Error('it redirects to what is no URL');
    const next = new URL(location, target);
    if (next.origin !== target.origin) headers = {};
    url = next.href;
  }
}

/** Scheme, host and addresses as for a git URL; a query is allowed, since stores sign their URLs by it. */
async function checkedTarget(text: string, { policy, resolve, signal }: CheckedRequest) {
  if (!URL.canParse(text)) throw new Error('it names what is no URL');
  const target = new URL(text);
  if (!policy.protocols.includes(target.protocol.slice(0, -1) as GitProtocol))
    throw new Error(`the scheme "${target.protocol.slice(0, -1)}" is not allowed`);
  if (target.username !== '' || target.password !== '') throw new Error('its URL holds a user name or password');
  target.hostname = target.hostname.replace(/\.$/, '');
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host)) requireAllowedAddress(target.hostname, host, policy);
  // The error for a URL that does not resolve names only its origin, since paths and queries of stores hold signatures.
  return { target, addresses: await resolvePublicAddresses(new URL(target.origin), policy, resolve, signal) };
}

function send(
  o: CheckedRequest,
  target: URL,
  addresses: readonly string[],
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  const request = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asking = request(
      target,
      {
        method: o.method,
        headers: { 'user-agent': 'git-lfs/veren', ...headers },
        signal: o.signal,
        maxHeaderSize: MAX_HEADERS,
        timeout: SILENCE_MS,
        ...pinAddress(addresses),
      },
      resolve,
    );
    asking.on('timeout', () => asking.destroy(new Error(`it was silent for ${SILENCE_MS / 1_000} s`)));
    asking.on('error', reject);
    asking.end(o.body);
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
