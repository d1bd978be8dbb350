import { type IncomingMessage, request, ServerResponse, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { limitAnnounced, type ProxyResult, passAnswer, TIMEOUT, UNREACHABLE, VISITOR_GONE } from './answer.ts';
import type { Lease } from './localServices.ts';
import { endToEnd, passedRequest } from './passedHeaders.ts';

const SWITCHED = 101;

/**
 * Passes a WebSocket, or any other upgrade, on to the service. Bytes go through as they are only after the service has
 * agreed by 101; any other answer ends the connection, so that a visitor cannot send requests past the platform.
 * Resolves when it is over.
 */
export function proxyUpgrade(
  { host, port, timeoutMs }: Lease,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protection?: SiteRoute['protection'],
): Promise<ProxyResult> {
  if (socket.destroyed) return Promise.resolve(VISITOR_GONE);
  // Nobody has read such a body, and its end is not known.
  if (incoming.headers['transfer-encoding'] !== undefined) return Promise.resolve(UNREACHABLE);
  return new Promise((resolve) => {
    const passed = passedRequest(incoming, protection);
    const headers = { ...passed.headers, connection: 'Upgrade', upgrade: incoming.headers.upgrade ?? '' };
    const outgoing = request({ host, port, method: incoming.method, path: passed.path, headers, agent: false });
    let timedOut = false;
    let answered = false;
    const late = setTimeout(() => {
      timedOut = true;
      outgoing.destroy();
    }, timeoutMs);
    const fail = () => {
      outgoing.destroy();
      if (!answered) resolve(timedOut ? TIMEOUT : UNREACHABLE);
    };
    outgoing.once('upgrade', (answer, target, first) => {
      clearTimeout(late);
      const agreed = switchedHead(answer);
      if (agreed === null) {
        target.destroy();
        return fail();
      }
      answered = true;
      socket.write(agreed);
      if (first.length > 0) socket.write(first);
      const end = () => {
        // What the service sent last still goes to the visitor.
        (socket as Socket).destroySoon();
        target.destroy();
        resolve({ status: SWITCHED });
      };
      for (const side of [target, socket]) {
        side.on('error', end);
        side.on('close', end);
      }
      if (socket.destroyed) return end();
      target.pipe(socket);
      socket.pipe(target);
    });
    outgoing.once('response', (answer) => {
      clearTimeout(late);
      const response = responseOn(incoming, socket);
      if (!passAnswer(answer, response, protection)) {
        response.detachSocket(socket as Socket);
        return fail();
      }
      answered = true;
      response.once('close', () => {
        outgoing.destroy();
        resolve({ status: answer.statusCode ?? 0 });
      });
    });
    limitAnnounced(outgoing, fail);
    outgoing.on('error', fail);
    outgoing.once('close', () => {
      clearTimeout(late);
      fail();
    });
    socket.once('close', fail);
    passBody(socket, head, Number(incoming.headers['content-length'] ?? 0), outgoing);
  });
}

/** Sends so many bytes of the visitor's, and leaves what follows them for the tunnel. */
function passBody(socket: Duplex, head: Buffer, length: number, outgoing: ReturnType<typeof request>): void {
  let left = length;
  if (head.length > 0) socket.unshift(head);
  if (left === 0) return void outgoing.end();
  const take = (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    const goesOn = outgoing.write(part);
    if (left === 0) {
      socket.off('data', take);
      socket.pause();
      if (part.length < chunk.length) socket.unshift(chunk.subarray(part.length));
      outgoing.end();
    } else if (!goesOn) {
      socket.pause();
      outgoing.once('drain', () => socket.resume());
    }
  };
  socket.on('data', take);
}

/** The beginning of the service's agreement; null where it holds what may not be written. */
function switchedHead(answer: IncomingMessage): string | null {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', `upgrade: ${answer.headers.upgrade ?? ''}`];
  try {
    validateHeaderValue('upgrade', answer.headers.upgrade ?? '');
    for (const [name, value] of Object.entries(endToEnd(answer.headers)))
      for (const one of [value ?? []].flat()) {
        validateHeaderValue(name, one);
        lines.push(`${name}: ${one}`);
      }
  } catch {
    return null;
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An ordinary answer on a connection that asked for an upgrade: it ends with it. */
function responseOn(incoming: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(incoming);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  socket.on('drain', () => response.emit('drain'));
  response.on('error', () => socket.destroy());
  response.once('finish', () => (socket as Socket).destroySoon());
  return response;
}

/** Answers an upgrade without a service. */
export function endUpgrade(socket: Duplex, status: string): void {
  if (!socket.destroyed) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
