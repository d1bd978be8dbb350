import { encodeRoute, type SiteRoute } from '../../contract/siteRoute.ts';
import { answerSite, type ReadSiteFile } from '../../lambdas/site-fallback/fallback.ts';
import { rememberRules } from '../../lambdas/site-fallback/siteRules.ts';
import { viewerRequestCode, viewerResponseCode } from '../../lib/constructs/sites/edge-code.ts';
import { SITE_HEADERS } from '../../lib/constructs/sites/site-table.ts';
import {
  type ChosenOrigins,
  type EdgeResult,
  type Fields,
  fromFields,
  type OriginGroup,
  runEdgeFunction,
  toFields,
  toPairs,
} from '../../local/emulator/cloudfront/edgeFunction.ts';

export type EdgeAnswer = EdgeResult & { headers: Fields; body?: string };

export interface StoredObject {
  readonly body: string;
  readonly contentType?: string;
  readonly cacheControl?: string;
  /** In place of the body's own, to stand for a large file. */
  readonly size?: number;
}

export interface Visit {
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

export interface Shown {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** What the viewer-request function makes of a visit. */
export async function runViewerRequest(
  domain: string,
  table: { get(key: string): Promise<string> },
  visit: { uri: string; headers: Record<string, string>; search?: string; method?: string },
  origins: ChosenOrigins = {},
  { services = false }: { services?: boolean | 'balanced' } = {},
): Promise<EdgeAnswer> {
  const { cookie = '', ...headers } = Object.fromEntries(
    Object.entries(visit.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const request = {
    method: visit.method ?? 'GET',
    uri: visit.uri,
    headers: toFields(headers),
    cookies: toPairs(cookie, /;\s*/),
    querystring: toPairs((visit.search ?? '').replace(/^\?/, ''), /&/),
  };
  return (await runEdgeFunction(viewerRequestCode(domain, { services }), { request }, table, origins)) as EdgeAnswer;
}

const isServed = (key: string) => /^__outputs\/|^__deployments\/[^/]+\/[^/]+\/files\//.test(key);

/**
 * The sites of a stage as CloudFront serves them: the real code of both functions and of the site function, a bucket, the
 * cache with its key, and the rules by which one origin stands in for another.
 */
export function cloudFront(stage: {
  domain: string;
  objects: Map<string, StoredObject>;
  routes?: Map<string, SiteRoute>;
}) {
  const { domain, objects, routes = new Map<string, SiteRoute>() } = stage;
  const cache = new Map<string, Shown>();
  let tableIsAway = false;
  const reads: string[] = [];
  const table = {
    async get(key: string) {
      const route = tableIsAway ? undefined : routes.get(key);
      if (!route) throw new Error('KeyNotFound');
      return encodeRoute(route);
    },
  };
  const read: ReadSiteFile = async (key) => {
    reads.push(key);
    if (!isServed(key)) throw new Error(`AccessDenied: ${key}`);
    const object = objects.get(key);
    if (!object) return null;
    return {
      body: (object.size ?? 0) > 4 * 1_024 * 1_024 ? null : new TextEncoder().encode(object.body),
      contentType: object.contentType ?? 'text/html; charset=utf-8',
      cacheControl: object.cacheControl ?? 'public, max-age=0, must-revalidate',
      etag: `"${object.body.length}"`,
    };
  };
  const rulesOf = rememberRules(read);

  async function fromBucket(uri: string): Promise<Shown> {
    const key = decodeURIComponent(uri.slice(1));
    const object = isServed(key) ? objects.get(key) : undefined;
    if (!object) return { status: 403, headers: {}, cookies: [], body: 'AccessDenied' };
    const headers = {
      'content-type': object.contentType ?? 'text/html; charset=utf-8',
      'cache-control': object.cacheControl ?? 'public, max-age=0, must-revalidate',
    };
    return { status: 200, headers, cookies: [], body: object.body };
  }
  async function fromFunction(uri: string, search: string, headers: Record<string, string>): Promise<Shown> {
    const answer = await answerSite(
      {
        path: uri,
        search,
        base: headers['x-veren-base'],
        before: headers['x-veren-before']?.split(',') ?? [],
        isExact: headers['x-veren-rules'] !== undefined,
      },
      read,
      rulesOf,
    );
    return { ...answer, headers: { ...answer.headers }, body: new TextDecoder().decode(answer.body) };
  }

  async function fetchUrl(url: string, { headers: given = {} }: Visit = {}): Promise<Shown> {
    const [, host = '', uri = '/', search = ''] = /^https:\/\/([^/]+)(\/[^?]*)(\?.*)?$/.exec(url) ?? [];
    const origins: ChosenOrigins = {};
    const asked = await runViewerRequest(domain, table, { uri, search, headers: { host, ...given } }, origins);
    if (asked.statusCode)
      return {
        status: asked.statusCode,
        headers: fromFields(asked.headers),
        cookies: Object.entries(asked.cookies ?? {}).map(([n, c]) => `${n}=${c.value}; ${c.attributes}`),
        body: asked.body ?? '',
      };
    const forwarded = fromFields(asked.headers);
    const inKey = SITE_HEADERS.map((name) => forwarded[name] ?? '');
    const pairs = Object.entries(asked.querystring ?? {});
    const query = pairs.length > 0 ? `?${pairs.map(([n, { value }]) => (value ? `${n}=${value}` : n)).join('&')}` : '';
    const key = JSON.stringify([asked.uri, query, inKey]);
    const fromOrigin = (id: string) =>
      id === 'files'
        ? fromBucket(asked.uri as string)
        : fromFunction(
            asked.uri as string,
            query,
            Object.fromEntries(SITE_HEADERS.map((n, i) => [n, inKey[i]]).filter(([, v]) => v)),
          );
    let shown = cache.get(key);
    if (!shown) {
      const group: OriginGroup = origins.group ?? {
        originIds: [{ originId: 'files' }, { originId: 'site-function' }],
        failoverCriteria: { statusCodes: [403, 404] },
      };
      const [first, second] = group.originIds.map(({ originId }) => originId) as [string, string];
      shown = await fromOrigin(origins.selected ?? first);
      if (!origins.selected && group.failoverCriteria.statusCodes.includes(shown.status))
        shown = await fromOrigin(second);
      // Errors are kept for ten seconds, everything else for as long as it says: all of it is met by the next request.
      cache.set(key, shown);
    }
    if (shown.status >= 400) return shown;
    const response = { statusCode: shown.status, headers: toFields(shown.headers) };
    // The function behind the sites sees what the visitor has asked for.
    const request = { method: 'GET', uri, querystring: {}, cookies: {}, headers: toFields({ host, ...given }) };
    const answered = await runEdgeFunction(viewerResponseCode(domain), { request, response }, table);
    return { ...shown, headers: fromFields(answered.headers) };
  }
  return {
    fetch: fetchUrl,
    objects,
    routes,
    reads,
    cache,
    loseTable() {
      tableIsAway = true;
    },
  };
}
