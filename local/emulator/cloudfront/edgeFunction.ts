import { createHash, randomUUID } from 'node:crypto';
import { runInNewContext } from 'node:vm';

export interface Field {
  value: string;
}
export type Fields = Record<string, Field>;

export interface EdgeRequest {
  method: string;
  uri: string;
  querystring: Fields;
  headers: Fields;
  cookies: Fields;
}
/** What a viewer-request function gives: an answer of its own where it has a status, a changed request otherwise. */
export type EdgeResult = Partial<EdgeRequest> & {
  statusCode?: number;
  headers?: Fields;
  cookies?: Record<string, Field & { attributes?: string }>;
  body?: string | { data: string; encoding?: string };
};
export interface OriginGroup {
  originIds: { originId: string }[];
  failoverCriteria: { statusCodes: number[] };
}
/** What a function has said about origins, by the helpers of its runtime. */
export interface ChosenOrigins {
  group?: OriginGroup;
  selected?: string;
  /** What `updateRequestOrigin` was given: an origin that the distribution does not name. */
  updated?: { domainName: string } & Record<string, unknown>;
}

/** Names and values of a query or a Cookie header as CloudFront hands them to a function: not decoded. */
export function toPairs(text: string, separator: RegExp): Fields {
  const parts = text.split(separator).filter(Boolean);
  return Object.fromEntries(
    parts.map((part) => [part.split('=', 1)[0]!, { value: part.split('=').slice(1).join('=') }]),
  );
}

export const toFields = (values: Readonly<Record<string, string>>): Fields =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), { value }]));

export const fromFields = (fields: Fields = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]));

/** Runs a CloudFront function in an engine of its own: `import` becomes what the runtime gives. */
export async function runEdgeFunction(
  code: string,
  event: { readonly request: EdgeRequest; readonly response?: object },
  table: { get(key: string): Promise<string> },
  origins: ChosenOrigins = {},
): Promise<EdgeResult> {
  const cf = {
    kvs: () => table,
    createRequestOriginGroup(group: OriginGroup) {
      origins.group = group;
    },
    selectRequestOriginById(id: string) {
      origins.selected = id;
    },
    updateRequestOrigin(origin: NonNullable<ChosenOrigins['updated']>) {
      origins.updated = origin;
    },
  };
  const context = { requestId: randomUUID() };
  const script = `${code.replaceAll(/^import .*\n/gm, '')}; handler(event)`;
  return await runInNewContext(
    script,
    { event: { ...event, context }, cf, crypto: { createHash }, Buffer },
    { timeout: 1_000 },
  );
}
