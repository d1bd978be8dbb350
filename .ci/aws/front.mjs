/**
 * Where AWS's host names lead: ends TLS for any name with a certificate of this run's authority, and hands requests on, told
 * apart by the name in the TLS greeting (SNI). Every call of AWS's APIs is a line in <world>/calls.ndjson.
 *   front.mjs <world> <address> <port of the emulator> <port of the public registry> <port of the bridge>
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as openRequest } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { keepBeginning, recordCalls } from './calls.mjs';

const [world, address, emulator, registry, bridge] = process.argv.slice(2);
const run = promisify(execFile);
/** Published by container-cli.sh: Redis, and the listeners for IAM of the brokers b-1 and b-2. */
const BROKER_PORTS = [29191, 29192];
const REDIS_PORT = 26379;
/** Whether the emulator verifies signatures. */
const VERIFIES = process.env.FAKECLOUD_VERIFY_SIGV4 === 'true';
/** What the bridge does for the emulator. */
const OF_THE_BRIDGE = /^cloudformation[.-]|\.cloudfront\.net$|\.cloudfront-kvs\.global\.api\.aws$/;

const apiOf = (name) => /^([a-z0-9]+)\.execute-api\./.exec(name)?.[1];

/** @returns the port on loopback */
async function portOf(name) {
  if (name === 'git.example.com') return Number(readFileSync(join(world, 'git.port'), 'utf8'));
  if (OF_THE_BRIDGE.test(name) || (await isRestApi(apiOf(name)))) return Number(bridge);
  return Number(name === 'public.ecr.aws' ? registry : emulator);
}

/** REST APIs are those that stream. */
const restApis = new Map();
async function isRestApi(api) {
  if (!api) return false;
  if (!restApis.has(api)) {
    const scope = `test/20260101/ap-south-1/apigateway/aws4_request`;
    const headers = { Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` };
    restApis.set(api, (await fetch(`http://127.0.0.1:${emulator}/restapis/${api}`, { headers })).ok);
  }
  return restApis.get(api);
}

const contexts = new Map();
function contextOf(name) {
  if (!contexts.has(name)) contexts.set(name, makeCertificate(name));
  return contexts.get(name);
}
const key = join(world, 'front.key');
await run('openssl', ['genrsa', '-out', key, '2048']);
async function makeCertificate(name) {
  const [request, extensions, certificate] = ['csr', 'ext', 'pem'].map((end) => join(world, `front-${name}.${end}`));
  writeFileSync(extensions, `subjectAltName=DNS:${name}\n`);
  await run('openssl', ['req', '-new', '-key', key, '-subj', '/CN=front', '-out', request]);
  const [ca, caKey] = [join(world, 'ca.pem'), join(world, 'ca.key')];
  const sign = ['-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '30'];
  await run('openssl', ['x509', ...sign, '-extfile', extensions, '-out', certificate]);
  return createSecureContext({ key: readFileSync(key), cert: readFileSync(certificate) });
}
const tls = {
  ALPNProtocols: ['http/1.1'],
  SNICallback: (name, done) => contextOf(/^[\w.-]+$/.test(name) ? name : 'unknown').then((it) => done(null, it), done),
};

const record = recordCalls(join(world, 'calls.ndjson'));

/**
 * An emulator that verifies signatures takes every other kind of Authorization for a broken one. Two of them are no business
 * of IAM's: the tokens of our API, which go round it in a header that .ci/aws/lambda/runtime.mjs puts back, and ECR's Basic,
 * which passes with a query that names the root's key.
 */
function pastVerification(name, { url, headers: { authorization, ...headers } }) {
  if (!authorization || authorization.startsWith('AWS4-')) return { path: url, headers: { ...headers, authorization } };
  if (apiOf(name)) return { path: url, headers: { ...headers, 'x-carried-authorization': authorization } };
  if (!name.includes('.dkr.ecr.')) return { path: url, headers: { ...headers, authorization } };
  return { path: `${url}${url.includes('?') ? '&' : '?'}${AS_ROOT}`, headers: { ...headers, authorization } };
}
const AS_ROOT = new URLSearchParams({
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': 'test/20260101/ap-south-1/ecr/aws4_request',
  'X-Amz-Date': '20260101T000000Z',
  'X-Amz-Expires': '604800',
  'X-Amz-SignedHeaders': 'host',
  'X-Amz-Signature': 'none',
});

async function handOn(request, response) {
  const name = request.socket.servername || '';
  const port = await portOf(name);
  const isVerified = VERIFIES && port === Number(emulator);
  const { path, headers } = isVerified ? pastVerification(name, request) : { path: request.url, headers: request.headers };
  const to = { host: '127.0.0.1', port, method: request.method, path };
  // A load balancer says it so: policies ask for TLS. What a client expects of a continuation is answered here already.
  const handedOn = { ...headers, 'x-forwarded-proto': 'https' };
  for (const missing of ['expect', ...(handedOn.authorization ? [] : ['authorization'])]) delete handedOn[missing];
  const upstream = openRequest({ ...to, headers: handedOn }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
    record(name, request, answer);
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  keepBeginning(request);
  request.pipe(upstream);
}

/** The emulator has WebSocket APIs at a path of its own. */
function pathOfSocket(name, url) {
  const { pathname, searchParams } = new URL(url, 'http://api');
  searchParams.set('stage', pathname.split('/')[1]);
  return `/_fakecloud/apigatewayv2/ws/${apiOf(name)}?${searchParams}`;
}

function upgrade(request, socket, head) {
  const path = pathOfSocket(request.socket.servername, request.url);
  const upstream = connect(Number(emulator), '127.0.0.1', () => {
    const lines = [`GET ${path} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
  });
  joinSockets(socket, upstream);
}

function joinSockets(socket, upstream) {
  for (const [from, to] of [[socket, upstream], [upstream, socket]]) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

const web = createHttpsServer({ ...tls, requestTimeout: 0, keepAliveTimeout: 120_000 }, (request, response) => {
  handOn(request, response).catch(() => response.destroy());
});
web.on('upgrade', upgrade);
web.on('tlsClientError', () => {});
web.listen(443, address);

// Brokers speak no HTTP.
const brokers = createServer(tls, (socket) => {
  const broker = Number(/^b-(\d+)\./.exec(socket.servername || '')?.[1]) || 1;
  joinSockets(socket, connect(BROKER_PORTS[(broker - 1) % 2], '127.0.0.1'));
});
brokers.on('tlsClientError', () => {});
brokers.listen(9098, address);
createTcpServer((socket) => joinSockets(socket, connect(Number(emulator), '127.0.0.1'))).listen(80, address);
// Redis ends TLS itself.
createTcpServer((socket) => joinSockets(socket, connect(REDIS_PORT, '127.0.0.1'))).listen(6379, address);
