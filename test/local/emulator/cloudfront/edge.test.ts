import { createServer } from 'node:http';
import '@aws-sdk/signature-v4a'; // the SDK finds the signer that it makes known
import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CloudFrontKeyValueStoreClient } from '@aws-sdk/client-cloudfront-keyvaluestore';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { cloudFrontSites } from '../../../../lambdas/shared/adapters/aws/siteTable.ts';
import { viewerRequestCode, viewerResponseCode } from '../../../../lib/constructs/sites/edge-code.ts';
import { type Endpoint, listenOnLoopback } from '../../../../local/awsProtocol/listen.ts';
import { Edge } from '../../../../local/emulator/cloudfront/edge.ts';
import { KeyValueStores } from '../../../../local/emulator/cloudfront/keyValueStores.ts';
import { requestWithHost } from '../../../../local/emulator/hostRequest.ts';

const HOST = 'd1.cloudfront.net';
const DEPLOYMENT = '01jdz0000000000000000000ab';
const ROUTE = { projectId: 'shop', deploymentId: DEPLOYMENT };
const CONFIG = {
  DefaultCacheBehavior: {
    TargetOriginId: 'files',
    FunctionAssociations: {
      Items: [
        { EventType: 'viewer-request', FunctionARN: 'arn:aws:cloudfront::1:function/sites' },
        { EventType: 'viewer-response', FunctionARN: 'arn:aws:cloudfront::1:function/answers' },
      ],
    },
  },
  Origins: {
    Items: [
      { Id: 'files', DomainName: 'bucket.s3.amazonaws.com' },
      { Id: 'site-function', DomainName: 'fallback.lambda-url.ap-south-1.on.aws' },
    ],
  },
  OriginGroups: {
    Items: [
      {
        Members: { Items: [{ OriginId: 'files' }, { OriginId: 'site-function' }] },
        FailoverCriteria: { StatusCodes: { Items: [403, 404] } },
      },
    ],
  },
};

/** The SDK's client, led to that port: it puts the account before any host name. */
function tableClient({ port }: Endpoint): CloudFrontKeyValueStoreClient {
  const client = new CloudFrontKeyValueStoreClient({
    region: 'ap-south-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as object, { protocol: 'http:', hostname: '127.0.0.1', port });
      return next(args);
    },
    { step: 'deserialize' },
  );
  return client;
}

describe('the edge in front of an emulator', () => {
  const stores = new KeyValueStores('123456789012');
  const arn = String(stores.create().data.Arn);
  const endpoints: Endpoint[] = [];
  let site: Endpoint;
  let table: Endpoint;

  beforeAll(async () => {
    /** The emulator's data plane: has one page, and says for whom it was asked. */
    const files = await listenOnLoopback(
      createServer((request, response) => {
        const known = request.url === `/__deployments/shop/${DEPLOYMENT}/files/index.html`;
        response.writeHead(known ? 200 : 403, { 'cache-control': 'max-age=0, s-maxage=60' });
        response.end(known ? `page of ${request.headers.host}` : 'AccessDenied');
      }),
    );
    const lambda = {
      send: async ({ input }: { input: { FunctionName: string; Payload: string } }) => {
        const { rawPath, headers } = JSON.parse(input.Payload);
        const body = `${input.FunctionName} ${rawPath} ${headers['x-veren-base']}`;
        return { Payload: { transformToString: () => JSON.stringify({ statusCode: 404, headers: {}, body }) } };
      },
    } as unknown as LambdaClient;
    const edge = new Edge({ sdk: {}, lambda, emulator: files.url, stores });
    const code: Record<string, string> = { sites: viewerRequestCode(''), answers: viewerResponseCode('') };
    const answers: Record<string, (input: { Name?: string; Stage?: string }) => object> = {
      ListDistributionsCommand: () => ({ DistributionList: { Items: [{ Id: 'E1', DomainName: HOST }] } }),
      GetDistributionConfigCommand: () => ({ DistributionConfig: CONFIG }),
      GetFunctionCommand: ({ Name, Stage }) => {
        if (Stage === 'LIVE') throw new Error('NoSuchFunctionExists');
        return { FunctionCode: new TextEncoder().encode(code[Name!]) };
      },
    };
    const send = async (command: { constructor: { name: string }; input: object }) =>
      answers[command.constructor.name]!(command.input);
    edge.client.send = send as unknown as CloudFrontClient['send'];
    site = await listenOnLoopback(createServer((request, response) => void edge.serve(request, response)));
    table = await listenOnLoopback(createServer((request, response) => void stores.serve(request, response)));
    endpoints.push(files, site, table);
  });
  afterAll(() => Promise.all(endpoints.map((it) => it.close())));

  const visit = (path: string, headers = {}) =>
    requestWithHost(`${site.url}${path}`, 'GET', { host: HOST, ...headers });

  it('shows what the writer of routes has pointed at, and takes it away again', async () => {
    const sites = cloudFrontSites(tableClient(table), arn);
    expect(await sites.find('shop')).toBeNull();
    await sites.point([
      { host: 'shop', route: ROUTE },
      { host: 'other', route: null },
    ]);
    expect(await sites.find('shop')).toMatchObject(ROUTE);

    const page = await visit('/shop/');
    expect([page.status, String(page.body)]).toEqual([200, `page of ${HOST}`]);
    expect(page.headers['cache-control']).toBe('max-age=0');
    const missing = await visit('/shop/none.txt');
    expect([missing.status, String(missing.body)]).toEqual([
      404,
      `fallback /__deployments/shop/${DEPLOYMENT}/files/none.txt /shop/`,
    ]);
    expect((await visit('/shop')).headers.location).toBe('/shop/');
    expect((await visit('/')).status).toBe(404);

    await sites.point([{ host: 'shop', route: null }]);
    expect(await sites.find('shop')).toBeNull();
  });

  it('lets one of two writers of the same moment try again', async () => {
    const version = (await fetch(`${table.url}/key-value-stores/${encodeURIComponent(arn)}`)).headers.get('etag')!;
    const write = () =>
      fetch(`${table.url}/key-value-stores/${encodeURIComponent(arn)}/keys`, {
        method: 'POST',
        headers: { 'If-Match': version },
        body: JSON.stringify({ Puts: [{ Key: 'k', Value: 'v' }] }),
      });
    const statuses = [(await write()).status, (await write()).status];
    expect(statuses).toEqual([200, 412]);
  });
});
