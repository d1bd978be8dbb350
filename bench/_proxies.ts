import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/freePort.ts';

/** Passes bytes on and reads none of them: less cannot be done by a process of Node between a visitor and a service. */
const BYTES = `const net = require('node:net');
net.createServer((visitor) => {
  const service = net.connect(process.env.TO, '127.0.0.1');
  visitor.pipe(service).pipe(visitor);
  for (const side of [visitor, service]) side.on('error', () => undefined);
}).listen(process.env.PORT, '127.0.0.1');
`;
/** Node's own server and client and nothing else: no host, no limit, no header left out, and a lost request where one ends. */
const HTTP = `const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
http.createServer((request, response) => {
  const { method, url: path, headers } = request;
  const asked = http.request({ host: '127.0.0.1', port: process.env.TO, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', () => response.destroy());
  request.pipe(asked);
}).listen(process.env.PORT, '127.0.0.1');
`;

export interface BaselineProxy {
  readonly name: string;
  readonly url: URL;
  readonly process: ChildProcess;
}

/** What any proxy in one process of Node costs, in front of the same service. */
export async function startBaselines(service: URL): Promise<BaselineProxy[]> {
  const kinds = { 'bytes passed on': BYTES, 'the smallest HTTP proxy': HTTP };
  const started = Object.entries(kinds).map(async ([name, source]) => {
    const port = await freePort();
    const env = { PORT: String(port), TO: service.port, NODE_ENV: 'production' };
    const child = spawn(process.execPath, ['-e', source], { env, stdio: 'ignore' });
    while (!(await accepts(port))) await sleep(5);
    return { name, url: new URL(`http://127.0.0.1:${port}/`), process: child };
  });
  return Promise.all(started);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
