import { namesAsset } from '../../../contract/site-rules/assets.ts';
import {
  applyRedirects,
  headerSafe,
  localTarget,
  type RedirectRule,
} from '../../../contract/site-rules/redirectRules.ts';
import { RULE_FILES } from '../../../contract/site-rules/ruleFile.ts';
import { VARIANT_SUFFIX } from '../../../contract/variants.ts';

export interface SiteRequest {
  /** Decoded, begins with `/`. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
  /** A browser asks for a page: the request accepts HTML. */
  readonly wantsPage: boolean;
}

export type Resolution<File> =
  | { readonly kind: 'file'; readonly status: number; readonly path: string; readonly file: File }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'absent' };

/** Looks up a file of the site by its path. */
type Find<File> = (path: string) => Promise<File | undefined>;

/** Files that are instructions to the server and not part of the site; of a long one there are compressed variants, too. */
const HIDDEN: readonly string[] = Object.values(RULE_FILES).flatMap((name) =>
  ['', ...Object.values(VARIANT_SUFFIX)].map((suffix) => `/${name}${suffix}`),
);

/**
 * What a site shows for a request, on the laptop and behind CloudFront alike. Chooses the answer in Netlify's order:
 * forced rules, files, other rules, the site's own 404 page, and finally the front page for the routes of a
 * single-page app.
 */
export async function resolveRequest<File>(
  find: Find<File>,
  rules: readonly RedirectRule[],
  request: SiteRequest,
): Promise<Resolution<File>> {
  const { path, search } = request;
  if (HIDDEN.includes(path)) return { kind: 'absent' };
  const findVisible: Find<File> = async (p) => (HIDDEN.includes(p) ? undefined : find(p));
  const byRule = async (forced: boolean): Promise<Resolution<File> | undefined> => {
    const outcome = applyRedirects(rules, path, search, forced);
    if (outcome?.kind !== 'rewrite') return outcome;
    const found =
      (await lookUpFile(findVisible, outcome.path)) ??
      (await lookUpFile(findVisible, `${outcome.path.replace(/\/+$/, '')}/`));
    return found && { kind: 'file', status: outcome.status, ...found };
  };

  const forced = await byRule(true);
  if (forced) return forced;
  const found = await lookUpFile(findVisible, path);
  if (found) return { kind: 'file', status: 200, ...found };
  const moved = await otherSlash(findVisible, path);
  if (moved) return { kind: 'redirect', status: 301, location: headerSafe(localTarget(encodePath(moved)) + search) };
  const ruled = await byRule(false);
  if (ruled) return ruled;

  const notFound = await findVisible('/404.html');
  if (notFound) return { kind: 'file', status: 404, path: '/404.html', file: notFound };
  const front = request.wantsPage && !namesAsset(path) ? await findVisible('/index.html') : undefined;
  return front ? { kind: 'file', status: 200, path: '/index.html', file: front } : { kind: 'absent' };
}

/** The file of a path: itself, the index of a folder, or `<path>.html`. */
async function lookUpFile<File>(find: Find<File>, path: string): Promise<{ path: string; file: File } | undefined> {
  const candidates = path.endsWith('/') ? [`${path}index.html`] : [path, `${path}.html`];
  for (const candidate of candidates) {
    const file = await find(candidate);
    if (file) return { path: candidate, file };
  }
  return undefined;
}

/** The path at which relative links of the page are correct: a folder ends with a slash, a page does not. */
async function otherSlash<File>(find: Find<File>, path: string): Promise<string | undefined> {
  if (!path.endsWith('/')) return (await find(`${path}/index.html`)) && `${path}/`;
  const page = path.replace(/\/+$/, '');
  return page !== '' && (await find(`${page}.html`)) ? page : undefined;
}

const encodePath = (path: string) => path.split('/').map(encodeURIComponent).join('/');
