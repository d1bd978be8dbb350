import type { IncomingMessage, ServerResponse } from 'node:http';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { requestWithHost } from '../hostRequest.ts';
import { type EdgeDistribution, findDistribution } from './distributions.ts';
import {
  type ChosenOrigins,
  type EdgeRequest,
  type EdgeResult,
  fromFields,
  runEdgeFunction,
  toFields,
  toPairs,
} from './edgeFunction.ts';
import type { KeyValueStores } from './keyValueStores.ts';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly cookies: readonly string[];
  readonly body: Uint8Array | string;
}
type SdkOptions = ConstructorParameters<typeof CloudFrontClient>[0];

/** Of a connection, or made anew for the answer. */
const NOT_HANDED_ON = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

/**
 * What the emulator's CloudFront leaves out: functions at the edge, and origin groups. Files come from the emulator's own
 * data plane, by the origin access control. Nothing is cached, and headers of policies are not set.
 */
export class Edge {
  readonly client: CloudFrontClient;
  readonly #lambda: LambdaClient;
  readonly #emulator: string;
  readonly #stores: KeyValueStores;

  constructor(options: { sdk: SdkOptions; lambda: LambdaClient; emulator: string; stores: KeyValueStores }) {
    this.client = new CloudFrontClient(options.sdk ?? {});
    this.#lambda = options.lambda;
    this.#emulator = options.emulator;
    this.#stores = options.stores;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = String(request.headers.host).split(':')[0]!;
    const distribution = await findDistribution(this.client, host);
    if (!distribution) return void response.writeHead(404).end('There is no such distribution');
    const { status, headers, cookies, body } = await this.#visit(distribution, host, readRequest(request));
    for (const [name, value] of Object.entries(headers)) if (!NOT_HANDED_ON.has(name)) response.setHeader(name, value);
    if (cookies.length > 0) response.setHeader('set-cookie', [...cookies]);
    response.writeHead(status).end(request.method === 'HEAD' ? undefined : body);
  }

  async #visit(distribution: EdgeDistribution, host: string, request: EdgeRequest): Promise<Answer> {
    const origins: ChosenOrigins = {};
    const { viewerRequest, viewerResponse } = distribution;
    // The function behind the sites sees what the visitor has asked for.
    const asked = structuredClone(request);
    const changed = viewerRequest ? await this.#run(viewerRequest, { request }, origins) : request;
    if ('statusCode' in changed && changed.statusCode) return ownAnswer(changed);
    const answer = await this.#fromOrigins(distribution, host, { ...request, ...changed } as EdgeRequest, origins);
    if (answer.status >= 400 || !viewerResponse) return answer;
    const response = { statusCode: answer.status, headers: toFields(answer.headers), cookies: {} };
    const { headers } = await this.#run(viewerResponse, { request: asked, response });
    return { ...answer, headers: fromFields(headers) };
  }

  #run(code: string, event: Parameters<typeof runEdgeFunction>[1], origins?: ChosenOrigins): Promise<EdgeResult> {
    // The emulator keeps no association of a function with a store; a stage has one.
    const [arn = ''] = this.#stores.arns();
    const get = async (key: string) => {
      const value = this.#stores.read(arn, key);
      if (value === undefined) throw new Error('KeyNotFound');
      return value;
    };
    return runEdgeFunction(code, event, { get }, origins);
  }

  async #fromOrigins(
    { target, group: configured, origins }: EdgeDistribution,
    host: string,
    request: EdgeRequest,
    { group = configured, selected, updated }: ChosenOrigins,
  ): Promise<Answer> {
    if (updated)
      return { status: 501, headers: {}, cookies: [], body: `Origins like ${updated.domainName} are not asked here` };
    const fetchFrom = (id: string) =>
      /\.lambda-url\./.test(origins.get(id) ?? '')
        ? this.#fromFunction(origins.get(id)!, request)
        : this.#fromDataPlane(host, request);
    if (selected || !group) return fetchFrom(selected ?? target);
    const [first, second] = group.originIds.map(({ originId }) => originId);
    const answer = await fetchFrom(first!);
    return second && group.failoverCriteria.statusCodes.includes(answer.status) ? fetchFrom(second) : answer;
  }

  /** The origin of the default behavior, which the emulator serves. */
  async #fromDataPlane(host: string, { method, uri, querystring, headers }: EdgeRequest): Promise<Answer> {
    // `fetch` would not send another host's name.
    const answer = await requestWithHost(`${this.#emulator}${uri}${searchOf(querystring)}`, method, {
      ...fromFields(headers),
      host,
    });
    return { ...answer, cookies: [] };
  }

  /** A function URL, of which the emulator has only the name. */
  async #fromFunction(origin: string, { method, uri, querystring, headers }: EdgeRequest): Promise<Answer> {
    const search = searchOf(querystring).slice(1);
    const event = {
      version: '2.0',
      routeKey: '$default',
      rawPath: uri,
      rawQueryString: search,
      headers: { ...fromFields(headers), host: origin },
      queryStringParameters: fromFields(querystring),
      requestContext: { domainName: origin, stage: '$default', http: { method, path: uri, protocol: 'HTTP/1.1' } },
      isBase64Encoded: false,
    } as unknown as LambdaFunctionURLEvent;
    const { FunctionError, Payload } = await this.#lambda.send(
      new InvokeCommand({ FunctionName: origin.split('.')[0]!, Payload: JSON.stringify(event) }),
    );
    const text = Payload?.transformToString() ?? '';
    if (FunctionError) return { status: 502, headers: {}, cookies: [], body: text };
    const result = JSON.parse(text) as Exclude<LambdaFunctionURLResult, string>;
    return {
      status: result.statusCode ?? 200,
      headers: Object.fromEntries(Object.entries(result.headers ?? {}).map(([k, v]) => [k.toLowerCase(), String(v)])),
      cookies: result.cookies ?? [],
      body: Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8'),
    };
  }
}

function readRequest(request: IncomingMessage): EdgeRequest {
  const [, uri = '/', search = ''] = /^([^?]*)\??(.*)$/.exec(request.url ?? '/') ?? [];
  const { cookie = '', ...headers } = request.headers;
  const values = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return {
    method: request.method ?? 'GET',
    uri,
    querystring: toPairs(search, /&/),
    headers: toFields(Object.fromEntries(values)),
    cookies: toPairs(cookie, /;\s*/),
  };
}

function searchOf(querystring: EdgeRequest['querystring']): string {
  const pairs = Object.entries(querystring).map(([name, { value }]) => (value ? `${name}=${value}` : name));
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function ownAnswer({ statusCode = 200, headers, cookies = {}, body = '' }: EdgeResult): Answer {
  return {
    status: statusCode,
    headers: fromFields(headers),
    cookies: Object.entries(cookies).map(([name, { value, attributes }]) => `${name}=${value}; ${attributes ?? ''}`),
    body: typeof body === 'string' ? body : body.data,
  };
}
