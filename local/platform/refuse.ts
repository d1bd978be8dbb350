import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { VerenError } from '../../contract/errors.ts';
import { problemOf } from '../../lambdas/shared/http/problem.ts';

const HEADERS = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', Connection: 'close' };

/** Answers a request that never comes to the API with the same kind of problem. */
export function refuseRequest(response: ServerResponse, error: VerenError): void {
  const body = JSON.stringify(problemOf(error, randomUUID()));
  response.writeHead(error.row.status ?? 500, { ...HEADERS, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** The same for a connection that wanted to become a WebSocket. */
export function refuseUpgrade(socket: Duplex, error: VerenError, correlationId: string = randomUUID()): void {
  const status = error.row.status ?? 500;
  const body = JSON.stringify(problemOf(error, correlationId));
  const headers = Object.entries({ ...HEADERS, 'Content-Length': Buffer.byteLength(body) });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
