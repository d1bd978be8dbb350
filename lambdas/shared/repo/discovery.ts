import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pinAddress } from './hostAddress.ts';
import { parseUrl } from './parseUrl.ts';
import type { RunLimits } from './runGit.ts';

export interface Discovery {
  /** The URL to which the host redirects requests for this repository. */
  readonly redirect?: string;
  /**
   * True where the answer is not that of a smart git host but a web page, say, which git takes for an empty old host.
   */
  readonly foreign: boolean;
}

const TIMEOUT_MS = 10_000;
const MAX_HEADERS = 16 * 1024;
const MAX_INFORMED = 10;
const SUFFIX = '/info/refs?service=git-upload-pack';

/**
 * Repeats git's first request, to learn what git does not report. Git itself may not follow redirects, since it would
 * go to any address. The request has no credentials and goes to the checked addresses; it never throws.
 */
export function discoverCapabilities(url: URL, addresses: readonly string[], limits: RunLimits): Promise<Discovery> {
  const asked = `${url.href.replace(/\/$/, '')}${SUFFIX}`;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.any([
    limits.deadline,
    AbortSignal.timeout(TIMEOUT_MS),
    ...(limits.signal ? [limits.signal] : []),
  ]);
  return new Promise((resolve) => {
    let informed = 0;
    const resolveUnknown = () => resolve({ foreign: false });
    const asking = request(
      asked,
      { signal, maxHeaderSize: MAX_HEADERS, headers: { 'user-agent': 'git/veren' }, ...pinAddress(addresses) },
      (response) => {
        response.destroy();
        const redirect = redirectTarget(response.headers.location, asked);
        const smart = response.headers['content-type'] === 'application/x-git-upload-pack-advertisement';
        resolve({ foreign: response.statusCode === 200 && !smart, ...(redirect === undefined ? {} : { redirect }) });
      },
    );
    asking
      // Interim answers (100, 103), of which the host may send any number.
      .on('information', () => {
        if (++informed > MAX_INFORMED) asking.destroy(new Error('too many informational answers'));
      })
      .on('error', resolveUnknown)
      .end();
  });
}

/** Only a redirect of the whole repository: same suffix, other base. Source: git's http.c, `update_url_from_redirect`. */
function redirectTarget(location: string | undefined, asked: string): string | undefined {
  const target = location === undefined ? undefined : parseUrl(location, asked);
  if (!target) return undefined;
  const { href, protocol } = target;
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return href.endsWith(SUFFIX) ? href.slice(0, -SUFFIX.length) : undefined;
}
