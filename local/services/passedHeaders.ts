import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { CRON_HEADER } from '../../contract/services.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { withoutSecrets } from '../../lambdas/shared/sites/protection.ts';

/** Of one connection, not of the request. Source: RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Say what a message is and how long it is: they are passed on, whatever the header `Connection` names. */
const OF_THE_MESSAGE = new Set(['host', 'content-length']);
/** Node's server has answered it already. */
const ANSWERED = 'expect';
const FORWARDED = new Set(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', CRON_HEADER]);

/** Headers without those of the connection. */
export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const isPassed = (name: string) => !HOP_BY_HOP.has(name) && (OF_THE_MESSAGE.has(name) || !named.has(name));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isPassed(name)));
}

interface Passed {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * The visitor's request as the service gets it: with where it came from in place of what the visitor says of that, and
 * without what opens the preview.
 */
export function passedRequest(incoming: IncomingMessage, protection: SiteRoute['protection']): Passed {
  const { host, cookie, authorization } = incoming.headers;
  const shown = withoutSecrets(protection, { url: incoming.url ?? '/', cookie, authorization });
  const given = Object.entries(endToEnd(incoming.headers)).filter(
    ([name]) => !FORWARDED.has(name) && name !== 'cookie' && name !== 'authorization' && name !== ANSWERED,
  );
  const headers = {
    ...Object.fromEntries(given),
    ...(shown.cookie !== undefined && { cookie: shown.cookie }),
    ...(shown.authorization !== undefined && { authorization: shown.authorization }),
    'x-forwarded-for': incoming.socket.remoteAddress ?? '127.0.0.1',
    'x-forwarded-proto': 'http',
    ...(host !== undefined && { 'x-forwarded-host': host }),
    ...(incoming.headers['transfer-encoding'] !== undefined && { 'transfer-encoding': 'chunked' }),
  };
  return { path: shown.url, headers };
}
