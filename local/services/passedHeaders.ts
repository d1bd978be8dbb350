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
/** What the visitor says of where it came from, and what is given to the service otherwise. */
const NOT_FROM_VISITOR = new Set([
  ...['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', CRON_HEADER],
  ...['cookie', 'authorization', ANSWERED],
]);
const NOBODY: ReadonlySet<string> = new Set();

/** Headers without those of the connection. */
export const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders => passed(headers, NOBODY);

/** In one pass, since every request and every answer comes here. */
function passed(headers: IncomingHttpHeaders, others: ReadonlySet<string>): IncomingHttpHeaders {
  const named = namedBy(headers.connection);
  const kept: IncomingHttpHeaders = {};
  for (const name of Object.keys(headers))
    if (!HOP_BY_HOP.has(name) && !others.has(name) && (OF_THE_MESSAGE.has(name) || !named.has(name)))
      kept[name] = headers[name];
  return kept;
}

function namedBy(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NOBODY;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
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
  const { host, cookie, authorization, 'transfer-encoding': encoding } = incoming.headers;
  const shown = withoutSecrets(protection, { url: incoming.url ?? '/', cookie, authorization });
  const headers = passed(incoming.headers, NOT_FROM_VISITOR);
  if (shown.cookie !== undefined) headers.cookie = shown.cookie;
  if (shown.authorization !== undefined) headers.authorization = shown.authorization;
  headers['x-forwarded-for'] = incoming.socket.remoteAddress ?? '127.0.0.1';
  headers['x-forwarded-proto'] = 'http';
  if (host !== undefined) headers['x-forwarded-host'] = host;
  if (encoding !== undefined) headers['transfer-encoding'] = 'chunked';
  return { path: shown.url, headers };
}
