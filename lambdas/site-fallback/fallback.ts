import { namesAsset } from '../../contract/site-rules/assets.ts';

/**
 * A site's answer for a path that has no file. This is the second origin of CloudFront, used after S3 has answered 403
 * or 404. Paths come as keys of the bucket: `/__outputs/<project>/<path>`.
 */

export interface FallbackFile {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  readonly etag: string | undefined;
}

/** Null where there is no such object. */
export type ReadSiteFile = (key: string) => Promise<FallbackFile | null>;

export interface SiteAnswer {
  readonly status: 200 | 301 | 404;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const encodeText = (body: string) => new TextEncoder().encode(body);
const NOT_FOUND: SiteAnswer = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'public, max-age=10' },
  body: encodeText('Not found.\n'),
};

/**
 * Tries in this order: `<path>.html` (clean URLs), `<path>/` where the path is a folder with an index, `<path>` without
 * its slash where that is a page, the site's own `404.html` with status 404, `index.html` with status 200 for the
 * client routes of single-page applications, and else a plain 404. A path with the extension of a file is never
 * answered with a page of the application, since a missing script must fail as a script.
 *
 * @param pathPrefix the part of the visitor's path before the site's own path: `/<project>` where sites have no host of
 *   their own
 */
export async function answerMissing(
  path: string,
  read: ReadSiteFile,
  pathPrefix: (project: string) => string,
): Promise<SiteAnswer> {
  const match = /^\/(__outputs\/([a-z0-9-]+))\/(.*)$/.exec(path);
  if (!match) return NOT_FOUND;
  const [, site, project, raw] = match as unknown as [string, string, string, string];
  const rest = decodePath(raw);
  if (rest === null || rest.split('/').includes('..')) return NOT_FOUND;
  const keyOf = (name: string) => `${site}/${name}`;

  // CloudFront escapes characters that S3 keys may hold, so S3 is asked again with the plain key.
  const exact = rest !== raw && rest !== '' ? await read(keyOf(rest)) : null;
  if (exact) return answerPage(200, exact);
  const named = !namesAsset(rest);
  if (named && rest !== '') {
    const clean = await read(keyOf(`${rest}.html`));
    if (clean) return answerPage(200, clean);
    // The address of a folder must end with a slash, since relative links in its page would be wrong otherwise.
    if (await read(keyOf(`${rest}/index.html`)))
      return {
        status: 301,
        headers: { location: `${pathPrefix(project)}/${raw.replace(/^\/+/, '')}/` },
        body: new Uint8Array(),
      };
  }
  // The address of a page has no slash at its end.
  const folder = /^(.+)\/index\.html$/.exec(rest)?.[1];
  if (folder !== undefined && (await read(keyOf(`${folder}.html`)))) {
    const location = `${pathPrefix(project)}/${raw.replace(/\/index\.html$/, '').replace(/^\/+/, '')}`;
    return { status: 301, headers: { location }, body: new Uint8Array() };
  }
  const own = await read(keyOf('404.html'));
  if (own) return answerPage(404, own);
  const application = (named || rest.endsWith('/index.html')) && (await read(keyOf('index.html')));
  return application ? answerPage(200, application) : NOT_FOUND;
}

function answerPage(status: 200 | 404, { body, contentType, cacheControl, etag }: FallbackFile): SiteAnswer {
  return {
    status,
    headers: {
      'content-type': contentType ?? 'application/octet-stream',
      // A fallback must not stay in caches after a deployment has added the page itself.
      'cache-control': cacheControl?.includes('immutable')
        ? 'public, max-age=0, must-revalidate'
        : (cacheControl ?? 'public, max-age=0, must-revalidate'),
      ...(etag && status === 200 && { etag }),
    },
    body,
  };
}

function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
