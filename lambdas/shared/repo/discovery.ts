import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';

export interface Discovery {
  /** Where the host sends those who ask for this repository. */
  readonly redirect?: string;
  /** What answers is something else than a smart git host: a web page, say, which git takes for an empty old host. */
  readonly foreign: boolean;
}

const SUFFIX = '/info/refs?service=git-upload-pack';

/**
 * Asks the host what git asked first, to learn what git does not tell. Git is not allowed to follow redirects: it would
 * go to any address. Asked without credentials, at the addresses that were checked; never throws.
 */
export function discover(url: URL, addresses: readonly string[], signal: AbortSignal): Promise<Discovery> {
  const asked = `${url.href.replace(/\/$/, '')}${SUFFIX}`;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    const unknown = () => resolve({ foreign: false });
    request(asked, { signal, headers: { 'user-agent': 'git/veren' }, ...pinned(addresses) }, (response) => {
      response.destroy();
      const redirect = target(response.headers.location, asked);
      const smart = response.headers['content-type'] === 'application/x-git-upload-pack-advertisement';
      resolve({ foreign: response.statusCode === 200 && !smart, ...(redirect === undefined ? {} : { redirect }) });
    })
      .on('error', unknown)
      .end();
  });
}

/** Only a redirect of the whole repository: same suffix, other base. Source: git's http.c, `update_url_from_redirect`. */
function target(location: string | undefined, asked: string): string | undefined {
  if (location === undefined || !URL.canParse(location, asked)) return undefined;
  const { href, protocol } = new URL(location, asked);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return href.endsWith(SUFFIX) ? href.slice(0, -SUFFIX.length) : undefined;
}

function pinned(addresses: readonly string[]): { lookup?: LookupFunction } {
  const [address] = addresses;
  if (address === undefined) return {};
  const family = isIPv6(address) ? 6 : 4;
  return {
    lookup: (_host, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
  };
}
