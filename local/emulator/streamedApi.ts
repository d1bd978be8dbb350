import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { z } from 'zod';
import { rootAuthorization } from './cloudformation/emulatorStacks.ts';

const run = promisify(execFile);
/** Between status and headers, in JSON, and the body of a streamed answer. */
const PRELUDE_END = Buffer.alloc(8);
const PreludeSchema = z.object({
  statusCode: z.number().default(200),
  headers: z.record(z.string(), z.coerce.string()).default({}),
  cookies: z.array(z.string()).default([]),
});
const ResourcesSchema = z.object({ item: z.array(z.object({ id: z.string(), path: z.string() })) });
const IntegrationSchema = z.object({ uri: z.string().default('') });

/**
 * What the emulator's REST APIs leave out: answers that are streamed. Asks the deployed API which function a path leads to,
 * and the function's own container, since the emulator gives a stream when it has ended.
 */
export function streamedApi(options: {
  readonly emulator: string;
  readonly region: string;
  /** Host and port of the function's runtime. */
  readonly addressOf: (name: string, event: APIGatewayProxyEvent) => Promise<string>;
}) {
  const { emulator, region, addressOf } = options;

  async function read(path: string): Promise<unknown> {
    const headers = { Authorization: rootAuthorization('apigateway', region) };
    const answer = await fetch(`${emulator}/restapis/${path}`, { headers });
    return answer.ok ? answer.json() : {};
  }

  async function findFunction(api: string, path: string, method: string) {
    const { item } = ResourcesSchema.parse(await read(`${api}/resources?limit=500`));
    for (const { id, path: template } of item) {
      const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
      const found = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '([^/]+)')}$`).exec(path);
      if (!found) continue;
      const { uri } = IntegrationSchema.parse(await read(`${api}/resources/${id}/methods/${method}/integration`));
      const arn = /\/functions\/(.+)\/response-streaming-invocations$/.exec(uri)?.[1];
      if (!arn) continue;
      const values = names.map((name, i) => [name, decodeURIComponent(found[i + 1]!)]);
      return { resource: template, name: arn.split(':')[6]!, pathParameters: Object.fromEntries(values) };
    }
    return null;
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const api = String(request.headers.host).split('.')[0]!;
    const { pathname, searchParams } = new URL(request.url!, 'http://api');
    const [, stage = '', path = '/'] = /^\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
    const found = await findFunction(api, path, request.method!);
    if (!found) return void response.writeHead(403).end('{"message":"Missing Authentication Token"}');
    const { resource, pathParameters } = found;
    const event = makeEvent(request, { api, stage, path, resource, pathParameters, searchParams });
    await streamAnswer(await addressOf(found.name, event), JSON.stringify(event), response);
  };
}

function makeEvent(
  { method, headers }: IncomingMessage,
  of: {
    readonly api: string;
    readonly stage: string;
    readonly path: string;
    readonly resource: string;
    readonly pathParameters: Record<string, string>;
    readonly searchParams: URLSearchParams;
  },
): APIGatewayProxyEvent {
  const single = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  const query = [...of.searchParams];
  return {
    resource: of.resource,
    path: of.path,
    httpMethod: method,
    headers: Object.fromEntries(single),
    multiValueHeaders: Object.fromEntries(single.map(([name, value]) => [name, [value]])),
    queryStringParameters: Object.fromEntries(query),
    multiValueQueryStringParameters: Object.fromEntries(query.map(([name]) => [name, of.searchParams.getAll(name)])),
    pathParameters: of.pathParameters,
    stageVariables: null,
    requestContext: {
      apiId: of.api,
      stage: of.stage,
      httpMethod: method,
      path: `/${of.stage}${of.path}`,
      resourcePath: of.resource,
      requestId: randomUUID(),
      protocol: 'HTTP/1.1',
      domainName: headers.host,
      identity: { sourceIp: '127.0.0.1', userAgent: headers['user-agent'] ?? null },
    },
    body: null,
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEvent;
}

/** Where a function's runtime listens: the port of its container, which the first invocation starts. */
export async function containerAddress(
  lambda: LambdaClient,
  name: string,
  event: APIGatewayProxyEvent,
): Promise<string> {
  const find = async () => {
    const filter = ['--filter', `label=fakecloud-lambda=${name}`];
    const { stdout } = await run('docker', ['ps', '--quiet', ...filter]);
    const [id] = stdout.split('\n').filter(Boolean);
    if (!id) return null;
    const { stdout: address } = await run('docker', ['port', id, '8080/tcp']);
    return address.split('\n')[0]!.trim();
  };
  const running = await find();
  if (running) return running;
  // Asked for something that it refuses at once.
  const first = { ...event, path: '/', resource: '/', headers: {}, multiValueHeaders: {} };
  const started = lambda
    .send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(first) }))
    .catch(() => {});
  await started;
  for (let tries = 0; tries < 20; tries++) {
    const address = await find();
    if (address) return address;
    await sleep(500);
  }
  throw new Error(`${name} has no container`);
}

/** Invokes the runtime, and hands its answer on as it comes. */
function streamAnswer(address: string, event: string, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = `http://${address}/2015-03-31/functions/function/invocations`;
    const invocation = openRequest(url, { method: 'POST' }, (answer) => {
      let head: Buffer | null = Buffer.alloc(0);
      answer.on('data', (chunk: Buffer) => {
        if (head === null) return void response.write(chunk);
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(PRELUDE_END);
        if (end < 0) return;
        const { statusCode, headers, cookies } = PreludeSchema.parse(JSON.parse(head.subarray(0, end).toString()));
        response.writeHead(statusCode, cookies.length > 0 ? { ...headers, 'set-cookie': cookies } : headers);
        response.flushHeaders();
        response.write(head.subarray(end + PRELUDE_END.length));
        head = null;
      });
      answer.once('end', () => {
        if (head !== null) response.writeHead(502);
        response.end();
        resolve();
      });
      answer.once('error', reject);
    });
    response.once('close', () => invocation.destroy());
    invocation.once('error', reject).end(event);
  });
}
