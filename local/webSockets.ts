import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { VerenError } from '../contract/errors.ts';
import type { Log } from '../lambdas/shared/logger.ts';
import type { WebSocketEvent } from '../lambdas/websocket/handle.ts';
import type { MemoryNotifier } from './adapters/memory/notifier.ts';
import { refuseUpgrade } from './platform/refuse.ts';

export interface WebSocketOptions {
  readonly server: Server;
  readonly path: string;
  readonly notifier: MemoryNotifier;
  /** The websocket function. */
  readonly handle: (event: WebSocketEvent) => Promise<{ statusCode: number }>;
  /** Why a request is refused, or null. */
  readonly admit: (request: IncomingMessage) => VerenError | null;
  readonly log: Log;
}

/** API Gateway's limit for a message; a subscription is a few hundred bytes. */
const MAX_MESSAGE = 32 * 1024;
/** Unread bytes after which a connection is closed, so that a slow reader does not fill the memory. */
const MAX_UNREAD = 4 * 1024 * 1024;

/**
 * Stands in for API Gateway's WebSocket API on the platform's own port: the function gets `$connect`, `$disconnect` and
 * messages, and sends through the notifier. Returns a function that closes every connection.
 */
export function attachWebSockets({
  server,
  path,
  notifier,
  handle,
  admit,
  log,
}: WebSocketOptions): () => Promise<void> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE });

  const upgradeConnection = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refused = admit(request);
    if (refused) return refuseUpgrade(socket, refused);
    const target = request.url ?? '/';
    // Split without a URL parser, for which `//evil/ws` would be the path /ws of another host.
    const mark = target.indexOf('?');
    if ((mark < 0 ? target : target.slice(0, mark)) !== path)
      return refuseUpgrade(socket, new VerenError('NOT_FOUND', { what: 'WebSocket at this path' }));
    const connectionId = randomUUID();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k, String(v)]));
    const queryStringParameters = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : target.slice(mark)));
    const webSocketEvent = (routeKey: string, body?: string): WebSocketEvent => ({
      requestContext: { routeKey, connectionId },
      headers,
      queryStringParameters,
      ...(body !== undefined && { body }),
    });
    const { statusCode } = await handle(webSocketEvent('$connect'));
    if (statusCode !== 200) return refuseUpgrade(socket, new VerenError('UNAUTHORIZED'));
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const detach = notifier.attach(connectionId, (message) => sendMessage(ws, message));
      ws.on('message', (data) => logFailure(handle(webSocketEvent('$default', data.toString()))));
      ws.on('error', (error) => log.warn('A WebSocket connection failed', { connectionId, error: error.message }));
      ws.on('close', () => {
        detach();
        logFailure(handle(webSocketEvent('$disconnect')));
      });
    });
  };
  const logFailure = (work: Promise<unknown>) =>
    void work.catch((error) => log.error('A WebSocket message could not be handled', { error }));

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    upgradeConnection(request, socket, head).catch((error) => {
      const correlationId = randomUUID();
      log.error('A WebSocket connection could not be made', { correlationId, error });
      refuseUpgrade(socket, new VerenError('INTERNAL'), correlationId);
    });
  });
  return async () => {
    for (const ws of sockets.clients) ws.terminate();
    sockets.close();
  };
}

function sendMessage(ws: WebSocket, message: string): void {
  if (ws.bufferedAmount > MAX_UNREAD) ws.terminate();
  else ws.send(message);
}
