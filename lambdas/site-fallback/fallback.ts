import { headersFor } from '../../contract/site-rules/headerRules.ts';
import { type Resolution, resolveRequest } from '../shared/sites/resolveRequest.ts';
import { noRules, type SiteRules } from './siteRules.ts';

/**
 * A site's answer for a path that has no file, and for every path where the site's own rules come first. This is an
 * origin of CloudFront. Paths come as keys of the bucket: `/__deployments/<project>/<deployment>/files/<path>`, or
 * `/__outputs/<project>/<path>` for a project that no route is known of.
 */

export interface FallbackFile {
  /** Null where it is larger than an answer of this function may be. */
  readonly body: Uint8Array | null;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  readonly etag: string | undefined;
}

/** Null where there is no such object. */
export type ReadSiteFile = (key: string) => Promise<FallbackFile | null>;

/** What `viewer-request.js` hands on. A visitor cannot set any of it. */
export interface AskedSite {
  /** The key of the bucket, with a slash before it, escaped. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
  /** The site's part of the visitor's path, `/` or `/shop/`; undefined: not told. */
  readonly base?: string | undefined;
  /** Deployments that were released before and whose hashed assets are still served. */
  readonly before?: readonly string[];
  /** The path is the visitor's own, with no `index.html` put at its end. */
  readonly isExact?: boolean;
}

export interface SiteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Uint8Array;
}

/** Tells CloudFront to take the object from the bucket (`viewer-request.js` makes the group of origins). */
const TAKE_FROM_BUCKET = 416;
const REVALIDATE = 'public, max-age=0, must-revalidate';
/** For CloudFront alone, whose key names the deployment; `viewer-response.js` takes it away. */
const KEPT_AT_EDGE = ', s-maxage=86400';
const KEY = /^\/((?:__outputs\/([a-z0-9-]+)|(__deployments\/([a-z0-9-]+)\/)[a-z0-9]{1,40}\/files)\/)(.*)$/s;

const answerText = (status: number, text: string, headers: Record<string, string> = {}): SiteAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'public, max-age=10', ...headers },
  cookies: [],
  body: new TextEncoder().encode(text),
});
const NOT_FOUND = answerText(404, 'There is nothing here.\n');

/**
 * @param pathPrefix the part of the visitor's path before the site's own path where `base` does not tell it
 */
export async function answerSite(
  asked: AskedSite,
  read: ReadSiteFile,
  rulesOf: (prefix: string) => Promise<SiteRules>,
  pathPrefix: (project: string) => string = () => '',
): Promise<SiteAnswer> {
  const match = KEY.exec(asked.path);
  if (!match) return NOT_FOUND;
  const [, prefix = '', ofCopy, ofDeployments, ofRelease, raw = ''] = match;
  const rest = decodePath(raw);
  if (rest === null || /(^|[/\\])\.\.?([/\\]|$)/.test(rest)) return NOT_FOUND;
  const asFolder = asked.isExact ? rest : rest.replace(/(^|\/)index\.html$/, '$1');
  const path = `/${asFolder}`;
  const base = asked.base?.replace(/\/$/, '') ?? pathPrefix((ofCopy ?? ofRelease) as string);

  const find = async (wanted: string) => {
    const own = wanted.endsWith('/') ? null : await read(prefix + wanted.slice(1));
    if (own || wanted !== path || !ofDeployments) return own ?? undefined;
    // Only what has a hash in its name is the same in every release that has it.
    for (const deploymentId of asked.before ?? []) {
      const old = await read(`${ofDeployments}${deploymentId}/files/${wanted.slice(1)}`);
      if (old?.cacheControl?.includes('immutable')) return old;
    }
    return undefined;
  };
  const rules = ofDeployments ? await rulesOf(prefix) : noRules;
  const found = await resolveRequest(find, rules.redirects, { path, search: asked.search, wantsPage: true });
  if (found.kind === 'absent') return NOT_FOUND;
  const extra = new Map(headersFor(rules.headers, path, base !== ''));
  if (found.kind === 'redirect') {
    const location = found.location.startsWith('/') ? base + found.location : found.location;
    const kept = `public, max-age=0${ofDeployments ? KEPT_AT_EDGE : ''}`;
    return withHeaders({ status: found.status, headers: { location, 'cache-control': kept } }, extra);
  }
  return answerFile({ found, extra, path, base, keptAtEdge: ofDeployments !== undefined });
}

interface FoundFile {
  readonly found: Extract<Resolution<FallbackFile>, { kind: 'file' }>;
  readonly extra: Map<string, string | string[]>;
  readonly path: string;
  readonly base: string;
  readonly keptAtEdge: boolean;
}

function answerFile({ found, extra, path, base, keptAtEdge }: FoundFile): SiteAnswer {
  const { status, file } = found;
  if (file.body === null) {
    if (status !== 200) return answerText(status, 'The page of this site is too large to be shown.\n');
    if (found.path === path) return answerText(TAKE_FROM_BUCKET, '');
    const location = base + found.path.split('/').map(encodeURIComponent).join('/');
    return answerText(302, '', { location, 'cache-control': 'no-store' });
  }
  // A page that stands in for another must not stay in browsers after a deployment has added the page itself.
  const isImmutable = file.cacheControl?.includes('immutable');
  const stored = isImmutable && found.path !== path ? REVALIDATE : (file.cacheControl ?? REVALIDATE);
  const cacheControl = keptAtEdge && status < 400 && stored === REVALIDATE ? stored + KEPT_AT_EDGE : stored;
  const headers = {
    'content-type': file.contentType ?? 'application/octet-stream',
    'cache-control': cacheControl,
    ...(file.etag && status === 200 && { etag: file.etag }),
  };
  return withHeaders({ status, headers, body: file.body }, extra);
}

/** The site's own headers go before what would be sent without them. */
function withHeaders(
  answer: { status: number; headers: Record<string, string>; body?: Uint8Array },
  extra: ReadonlyMap<string, string | string[]>,
): SiteAnswer {
  const headers: Record<string, string> = { ...answer.headers };
  let cookies: readonly string[] = [];
  for (const [name, value] of extra) {
    if (typeof value === 'string') headers[name] = value;
    else if (name === 'set-cookie') cookies = value;
  }
  return { status: answer.status, headers, cookies, body: answer.body ?? new Uint8Array() };
}

function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
