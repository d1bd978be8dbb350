import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { MemoryNotifier } from '../../lambdas/shared/adapters/memory/notifier.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { attachWebSockets } from '../webSockets.ts';
import type { Handlers } from './wiring.ts';

export interface HttpOptions {
  readonly port: number;
  readonly handlers: Pick<Handlers, 'fetch' | 'webSocket'>;
  readonly notifier: MemoryNotifier;
  readonly log: (message: string, details?: unknown) => void;
}

/** The API and, at `/ws`, the WebSocket API on one loopback port. */
export async function startHttp({ port, handlers, notifier, log }: HttpOptions): Promise<Endpoint> {
  const server = createServer(getRequestListener(handlers.fetch));
  const closeSockets = attachWebSockets({ server, path: '/ws', notifier, handle: handlers.webSocket, log });
  const endpoint = await listenOnLoopback(server, port);
  return {
    ...endpoint,
    async close() {
      await closeSockets();
      await endpoint.close();
    },
  };
}
