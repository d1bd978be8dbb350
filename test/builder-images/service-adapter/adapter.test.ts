import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as names from '../../../contract/serviceAdapter.ts';
import { CRON_HEADER } from '../../../contract/services.ts';
import { describeWith } from '../../support/engines.ts';
import { eventually } from '../../support/eventually.ts';

const SOURCE = join(__dirname, '../../../builder-images/service-adapter/src/main.rs');
const program = process.env.SERVICE_ADAPTER ?? '';

test('the adapter and the platform mean the same names', () => {
  const source = readFileSync(SOURCE, 'utf8');
  for (const name of [...Object.values(names), CRON_HEADER]) expect(source).toContain(`"${name}"`);
});

/** A function URL's event, as far as the adapter reads it. */
const event = (headers: Record<string, string>, more: object = {}, apiId = 'abcdef') => ({
  ...{ version: '2.0', routeKey: '$default', rawPath: '/api/orders', rawQueryString: 'a=1' },
  headers: { host: 'x.lambda-url.ap-south-1.on.aws', ...headers },
  requestContext: {
    ...{ accountId: 'anonymous', apiId, domainName: 'x', domainPrefix: 'x', requestId: 'r', routeKey: '$default' },
    ...{ stage: '$default', time: '01/Jan/2026:00:00:00 +0000', timeEpoch: 0 },
    http: { method: 'POST', path: '/api/orders', protocol: 'HTTP/1.1', sourceIp: '1.2.3.4', userAgent: 'x' },
  },
  isBase64Encoded: false,
  ...more,
});

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly chunks: number;
}

/** Lambda's runtime and extensions APIs, for one execution environment. Source: Lambda developer guide, "Runtime API". */
function runtimeDouble() {
  const waiting: ((event: object) => void)[] = [];
  const queue: object[] = [];
  const answers = new Map<string, (answered: Answered) => void>();
  let id = 0;
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '';
    if (url === '/2020-01-01/extension/register') {
      response.writeHead(200, { 'lambda-extension-identifier': 'e1' }).end('{}');
    } else if (url === '/2020-01-01/extension/event/next') {
      // No event of its own ever comes.
    } else if (url === '/2018-06-01/runtime/invocation/next') {
      const next = queue.shift() ?? (await new Promise<object>((resolve) => waiting.push(resolve)));
      response
        .writeHead(200, {
          'lambda-runtime-aws-request-id': `id-${(next as { n: number }).n}`,
          'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
          'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:ap-south-1:123456789012:function:x',
          'content-type': 'application/json',
        })
        .end(JSON.stringify((next as { event: object }).event));
    } else {
      const [, requestId = ''] = /invocation\/([^/]+)\/response$/.exec(url) ?? [];
      let chunks = 0;
      let bytes = Buffer.alloc(0);
      for await (const chunk of request) {
        chunks++;
        bytes = Buffer.concat([bytes, chunk as Buffer]);
      }
      response.writeHead(202).end();
      // The head of the answer, eight zero bytes, its body. Source: Lambda developer guide, "Response streaming".
      const end = bytes.indexOf(Buffer.alloc(8));
      const head = JSON.parse(bytes.subarray(0, end).toString());
      answers.get(requestId)?.({ status: head.statusCode, body: bytes.subarray(end + 8).toString(), chunks });
    }
  });
  return {
    server,
    invoke(given: object): Promise<Answered> {
      const n = ++id;
      const answered = new Promise<Answered>((resolve) => answers.set(`id-${n}`, resolve));
      const next = waiting.shift();
      if (next) next({ n, event: given });
      else queue.push({ n, event: given });
      return answered;
    },
  };
}

const listen = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const missing = existsSync(program)
  ? null
  : 'SERVICE_ADAPTER names no program: cargo build in builder-images/service-adapter';
describeWith(missing, 'the adapter, in front of a service', () => {
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const service = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('latin1');
    if (request.url === '/ready') return void response.end('ready');
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    response.writeHead(201, { 'content-type': 'text/event-stream', 'set-cookie': ['a=1', 'b=2'] });
    for (let i = 0; i < 3; i++) {
      response.write(`part ${i};`);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    response.end();
  });
  const runtime = runtimeDouble();
  let adapter: ChildProcess;
  const start = async (secret: string | undefined, ports: [number, number]) => {
    const env = {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${ports[0]}`,
      ...{ AWS_LAMBDA_FUNCTION_NAME: 'x', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128', AWS_LAMBDA_FUNCTION_VERSION: '1' },
      ...{ AWS_LAMBDA_LOG_STREAM_NAME: 's', AWS_LAMBDA_LOG_GROUP_NAME: 'g', AWS_LWA_INVOKE_MODE: 'response_stream' },
      AWS_LWA_PORT: String(ports[1]),
      AWS_LWA_READINESS_CHECK_PATH: '/ready',
      ...(secret !== undefined && { [names.SERVICE_SECRET_VARIABLE]: secret }),
    };
    return spawn(program, [], { env, stdio: 'inherit' });
  };
  let ports: [number, number];
  beforeAll(async () => {
    ports = [await listen(runtime.server), await listen(service)];
    adapter = await start('s3cret', ports);
  });
  afterAll(async () => {
    adapter.kill('SIGKILL');
    for (const server of [runtime.server, service]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
  beforeEach(() => {
    seen.length = 0;
  });

  test('a request with the secret reaches it whole, and its answer is streamed', async () => {
    const headers = { 'x-veren-origin': 's3cret', 'content-type': 'application/json', 'x-veren-cron': 'true' };
    const answer = await runtime.invoke(event(headers, { body: '{"n":1}', cookies: ['c=1'] }));
    expect(answer).toMatchObject({ status: 201, body: 'part 0;part 1;part 2;' });
    expect(answer.chunks).toBeGreaterThan(2);
    expect(seen).toMatchObject([{ method: 'POST', url: '/api/orders?a=1', body: '{"n":1}' }]);
    expect(seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', cookie: 'c=1' });
    for (const name of ['x-veren-origin', 'x-veren-cron']) expect(seen[0]?.headers[name]).toBeUndefined();
  });
  test('a form with bytes arrives as it was sent', async () => {
    const body = Buffer.from([0, 255, 10, 13]).toString('base64');
    await runtime.invoke(event({ 'x-veren-origin': 's3cret' }, { body, isBase64Encoded: true }));
    expect(seen.map((one) => Buffer.from(one.body, 'latin1').toString('base64'))).toEqual([body]);
  });
  test.each([[{}], [{ 'x-veren-origin': 'wrong!' }], [{ 'x-veren-origin': '' }], [{ 'x-veren-origin': 's3cret ' }]])(
    'a request with %j never reaches it',
    async (headers) => {
      expect(await runtime.invoke(event(headers as Record<string, string>))).toMatchObject({ status: 403 });
      expect(seen).toEqual([]);
    },
  );
  test('a call by schedule does, and says that it is one', async () => {
    expect(await runtime.invoke(event({ 'x-veren-cron': 'true' }, {}, names.CRON_API_ID))).toMatchObject({
      status: 201,
    });
    expect(seen[0]?.headers['x-veren-cron']).toBe('true');
  });
  test('without a secret of its own it lets nobody through', async () => {
    const bare = runtimeDouble();
    const port = await listen(bare.server);
    const open = await start(undefined, [port, ports[1]]);
    try {
      const answer = eventually(() => bare.invoke(event({ 'x-veren-origin': '' })));
      expect(await answer).toMatchObject({ status: 403 });
    } finally {
      open.kill('SIGKILL');
      bare.server.closeAllConnections();
      bare.server.close();
    }
  });
});
