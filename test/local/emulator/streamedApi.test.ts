import { once } from 'node:events';
import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { type Endpoint, listenOnLoopback } from '../../../local/awsProtocol/listen.ts';
import { streamedApi } from '../../../local/emulator/streamedApi.ts';

const URI =
  'arn:aws:apigateway:ap-south-1:lambda:path/2021-11-15/functions/arn:aws:lambda:ap-south-1:1:function:streamer/response-streaming-invocations';
const API: Record<string, object> = {
  '/restapis/abc/resources?limit=500': {
    item: [
      { id: 'r1', path: '/' },
      { id: 'r2', path: '/deployments/{id}/logs' },
    ],
  },
  '/restapis/abc/resources/r2/methods/GET/integration': { type: 'AWS_PROXY', uri: URI },
};

const endpoints: Endpoint[] = [];
const listen = async (serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<Endpoint> => {
  const endpoint = await listenOnLoopback(createServer(serve));
  endpoints.push(endpoint);
  return endpoint;
};
afterAll(() => Promise.all(endpoints.map((it) => it.close())));

/** The stream API in front of a function whose runtime answers so. */
async function apiOf(
  runtime: (event: unknown, response: ServerResponse) => void,
): Promise<(path: string) => Promise<IncomingMessage>> {
  const emulator = await listen((request, response) => {
    const known = API[request.url!];
    response.writeHead(known ? 200 : 404).end(JSON.stringify(known ?? {}));
  });
  const container = await listen((request, response) => void json(request).then((event) => runtime(event, response)));
  const serve = streamedApi({
    emulator: emulator.url,
    region: 'ap-south-1',
    addressOf: async (name) => {
      expect(name).toBe('streamer');
      return `127.0.0.1:${container.port}`;
    },
  });
  const api = await listen((request, response) => void serve(request, response));
  return async (path) => {
    const headers = { host: 'abc.execute-api.ap-south-1.amazonaws.com', accept: 'text/event-stream' };
    const [answer] = await once(openRequest(`${api.url}${path}`, { headers }).end(), 'response');
    return answer as IncomingMessage;
  };
}

it('hands the answer of a function on while it is written', async () => {
  let writeMore = () => {};
  const visit = await apiOf((event, response) => {
    expect(event).toMatchObject({
      httpMethod: 'GET',
      path: '/deployments/d1/logs',
      resource: '/deployments/{id}/logs',
      pathParameters: { id: 'd1' },
      queryStringParameters: { after: '3' },
      requestContext: { stage: 'live' },
    });
    response.write(JSON.stringify({ statusCode: 206, headers: { 'content-type': 'text/event-stream' } }));
    response.write(Buffer.concat([Buffer.alloc(8), Buffer.from('first')]));
    writeMore = () => response.end('second');
  });
  const answer = await visit('/live/deployments/d1/logs?after=3');
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([206, 'text/event-stream']);
  const [first] = await once(answer, 'data');
  expect(String(first)).toBe('first');
  writeMore();
  const [second] = await once(answer, 'data');
  expect(String(second)).toBe('second');
});

it('answers 403 for a path that leads nowhere, and 502 for an answer without a beginning', async () => {
  const visit = await apiOf((_, response) => response.end('{"errorMessage":"out of memory"}'));
  expect((await visit('/live/elsewhere')).statusCode).toBe(403);
  expect((await visit('/live/deployments/d1/logs')).statusCode).toBe(502);
});
