import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { forOneVisitor } from '../sites/cacheControl.ts';
import { endToEnd } from './passedHeaders.ts';

export interface ProxyResult {
  readonly status: number;
  /** There was no answer, and the caller is to give one. */
  readonly failure?: 'unreachable' | 'timeout';
}

export const UNREACHABLE: ProxyResult = { status: 502, failure: 'unreachable' };
export const VISITOR_GONE: ProxyResult = { status: 499 };
export const TIMEOUT: ProxyResult = { status: 504, failure: 'timeout' };

/**
 * Writes the service's answer into the visitor's. False where it is none that may be passed on: then nothing of it was
 * written. A service is foreign code, so nothing that it sends may throw here. Its reason phrase is not passed on.
 */
export function passAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  protection: SiteRoute['protection'],
): boolean {
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 599 || response.headersSent) return false;
  const own = response.getHeaders();
  try {
    const headers = endToEnd(answer.headers);
    if (protection) headers['cache-control'] = forOneVisitor(headers['cache-control']);
    response.writeHead(status, headers);
  } catch {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    for (const [name, value] of Object.entries(own)) if (value !== undefined) response.setHeader(name, value);
    return false;
  }
  answer.pipe(response);
  answer.once('error', () => response.destroy());
  answer.once('close', () => {
    // A half answer must not look like a whole one.
    if (!answer.complete) response.destroy();
  });
  return true;
}

/** Answers that announce another one (1xx) that a service may send before it: they could have no end. */
const MAX_ANNOUNCED = 100;

/** Calls back when a service announces an answer again and again. */
export function limitAnnounced(outgoing: ClientRequest, onFlood: () => void): void {
  let count = 0;
  outgoing.on('information', () => {
    if (++count === MAX_ANNOUNCED) onFlood();
  });
}
