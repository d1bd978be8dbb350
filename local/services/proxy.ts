import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { limitAnnounced, type ProxyResult, passAnswer, TIMEOUT, UNREACHABLE, VISITOR_GONE } from './answer.ts';
import type { Lease } from './localServices.ts';
import { passedRequest } from './passedHeaders.ts';

/** Connections that are kept: only for requests that may be sent again, since a server may close one at any moment. */
const agent = new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 256, timeout: 30_000 });
/** As nginx calls it. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A visitor's request, and where the answer goes. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly protection: SiteRoute['protection'];
}

/** Passes a request on, and the answer back, both as streams. Resolves when the answer is over. */
export async function proxyRequest(
  lease: Lease,
  incoming: IncomingMessage,
  response: ServerResponse,
  protection?: SiteRoute['protection'],
): Promise<ProxyResult> {
  const exchange = { incoming, response, protection };
  const first = await passOn(lease, exchange, isRepeatable(incoming));
  // The server has closed a kept connection at this moment: nothing of the request was worked on.
  const result = first === 'stale' ? await passOn(lease, exchange, false) : first;
  return result === 'stale' ? UNREACHABLE : result;
}

const isRepeatable = ({ method = '', headers }: IncomingMessage): boolean =>
  WITHOUT_BODY.has(method) && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;

function passOn(lease: Lease, exchange: Exchange, keep: boolean): Promise<ProxyResult | 'stale'> {
  const { incoming, response, protection } = exchange;
  if (response.destroyed) return Promise.resolve(VISITOR_GONE);
  return new Promise((resolve) => {
    const { host, port, timeoutMs } = lease;
    const { path, headers } = passedRequest(incoming, protection);
    let timedOut = false;
    const outgoing = request({ host, port, method: incoming.method, path, headers, agent: keep ? agent : false });
    const fail = () => {
      outgoing.destroy();
      resolve(timedOut ? TIMEOUT : UNREACHABLE);
    };
    const late = setTimeout(() => {
      timedOut = true;
      outgoing.destroy();
    }, timeoutMs);
    let isWhole = () => false;
    outgoing.once('response', (answer) => {
      clearTimeout(late);
      isWhole = () => answer.complete;
      const status = answer.statusCode ?? 0;
      if (!passAnswer(answer, response, protection)) return fail();
      response.once('close', () => {
        outgoing.destroy();
        resolve({ status });
      });
    });
    // Another protocol, which nobody has asked for.
    outgoing.once('upgrade', (_, socket) => {
      socket.destroy();
      fail();
    });
    limitAnnounced(outgoing, fail);
    // An upload may take its time, as long as something of it comes.
    if (!keep) incoming.on('data', () => late.refresh());
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // Its answer is whole, and what it sent besides is nobody's.
      if (isWhole()) return;
      if (response.headersSent) return void response.destroy();
      if (!timedOut && keep && outgoing.reusedSocket && error.code === 'ECONNRESET') resolve('stale');
      else fail();
    });
    outgoing.once('close', () => {
      clearTimeout(late);
      if (!response.headersSent) fail();
    });
    // The visitor has gone: the service need not go on.
    response.once('close', () => {
      if (response.writableFinished) return;
      outgoing.destroy();
      resolve(VISITOR_GONE);
    });
    if (keep) outgoing.end();
    else incoming.pipe(outgoing);
  });
}
