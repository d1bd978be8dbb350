import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Log } from '../../lambdas/shared/logger.ts';
import type { MemoryNotifier } from '../adapters/memory/notifier.ts';
import { type Endpoint, listenOnLocalhost, MAX_HEADER_BYTES } from '../awsProtocol/listen.ts';
import type { ServeDashboard } from '../dashboard/serveDashboard.ts';
import { attachWebSockets } from '../webSockets.ts';
import { type OwnAddresses, refusalOf } from './admission.ts';
import { refuseRequest } from './refuse.ts';
import type { Handlers } from './wiring.ts';

export interface HttpOptions {
  readonly port: number;
  readonly handlers: Pick<Handlers, 'fetch' | 'webSocket'>;
  readonly notifier: MemoryNotifier;
  readonly serveDashboard: ServeDashboard;
  readonly own: OwnAddresses;
  readonly log: Log;
}

/** The API, at `/ws` the WebSocket API and at `/dashboard` the dashboard, on one port of both loopback addresses, for its own host names and origins only. */
export async function startHttp(options: HttpOptions): Promise<Endpoint> {
  const { port, handlers, notifier, serveDashboard, own, log } = options;
  const answer = getRequestListener(handlers.fetch);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const refused = refusalOf(request, own);
    if (refused) return refuseRequest(response, refused);
    if (!serveDashboard(request, response)) void answer(request, response);
  });
  const refuseForeign = (request: Parameters<typeof refusalOf>[0]) => refusalOf(request, own);
  const closeSockets = attachWebSockets({
    server,
    path: '/ws',
    notifier,
    handle: handlers.webSocket,
    admit: refuseForeign,
    log,
  });
  const endpoint = await listenOnLocalhost(server, port);
  return {
    ...endpoint,
    async close() {
      await closeSockets();
      await endpoint.close();
    },
  };
}
