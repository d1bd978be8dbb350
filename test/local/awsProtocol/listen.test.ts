import { createServer, request } from 'node:http';
import { createServer as createNetServer, Server } from 'node:net';
import { type Endpoint, listenOnLocalhost } from '../../../local/awsProtocol/listen.ts';

const HOSTS = ['127.0.0.1', '[::1]'];
const open: { close(): unknown }[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const one of open.splice(0)) await one.close();
});

const serve = () => {
  const server = createServer((request, response) => response.end(`ours at ${request.headers.host}`));
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 418 Ours\r\n\r\n'));
  return server;
};
const localhost = async (port?: number): Promise<Endpoint> => {
  const endpoint = await listenOnLocalhost(serve(), port);
  open.push(endpoint);
  return endpoint;
};
/** Somebody else at ::1. */
const squat = async (port = 0) => {
  const server = createNetServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nevil'));
  await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '::1', done));
  open.push(server);
  return (server.address() as { port: number }).port;
};
const upgradeStatus = (url: string) =>
  new Promise((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    request(url, { headers }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });
const textOf = (url: string) => fetch(url).then((answer) => answer.text());

test('whatever address a browser finds for localhost, it is this server, also for upgrades, and nobody else can have it', async () => {
  const { port } = await localhost();
  for (const host of HOSTS) {
    expect(await textOf(`http://${host}:${port}/`)).toBe(`ours at ${host}:${port}`);
    expect(await upgradeStatus(`http://${host}:${port}/`)).toBe(418);
  }
  await expect(squat(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('one that is silent cuts what is open and what comes, at both addresses, and nobody else can have the port', async () => {
  const server = createServer((_, response) => response.write('begun'));
  const endpoint = await listenOnLocalhost(server);
  open.push(endpoint);
  const answers = await Promise.all(HOSTS.map((host) => fetch(`http://${host}:${endpoint.port}/`)));
  endpoint.silence();
  for (const answer of answers) await expect(answer.text()).rejects.toThrow();
  for (const host of HOSTS) await expect(textOf(`http://${host}:${endpoint.port}/`)).rejects.toThrow();
  await expect(squat(endpoint.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('the end cuts the connections of both addresses and frees the port at both', async () => {
  const server = createServer((_, response) => response.write('begun'));
  const endpoint = await listenOnLocalhost(server);
  const answers = await Promise.all(HOSTS.map((host) => fetch(`http://${host}:${endpoint.port}/`)));
  await endpoint.close();
  for (const answer of answers) await expect(answer.text()).rejects.toThrow();
  await squat(endpoint.port);
  open.push(await listenOnLocalhost(serve(), 0));
});

test('a port that somebody has at ::1 is in use, and is left free at 127.0.0.1', async () => {
  const port = await squat();
  await expect(localhost(port)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  const first = createNetServer();
  await new Promise<void>((done, failed) => first.once('error', failed).listen(port, '127.0.0.1', done));
  open.push(first);
});

test('where any port will do, one that is taken at ::1 is not the one', async () => {
  const taken = await squat();
  const listen = Server.prototype.listen;
  jest.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server, _port, ...rest) {
    return listen.call(this, taken, ...(rest as []));
  } as typeof listen);
  const { port } = await localhost();
  expect(port).not.toBe(taken);
  expect(await textOf(`http://[::1]:${port}/`)).toContain('ours');
});

test.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])('a machine without IPv6 (%s) is served at 127.0.0.1', async (code) => {
  const listen = Server.prototype.listen;
  jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
    if (args[1] !== '::1') return listen.apply(this, args as Parameters<typeof listen>);
    process.nextTick(() => this.emit('error', Object.assign(new Error(code), { code })));
    return this;
  } as typeof listen);
  const { port, close } = await listenOnLocalhost(serve());
  expect(await textOf(`http://127.0.0.1:${port}/`)).toContain('ours');
  await close();
});
