import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIPv6 } from 'node:net';

/**
 * Where a host sends those who ask for this repository, or null. Git itself is not allowed to follow: it would go to
 * any address. Asked without credentials, at the addresses that were checked.
 */
export function redirectTarget(url: URL, addresses: readonly string[], signal: AbortSignal): Promise<string | null> {
  const suffix = '/info/refs?service=git-upload-pack';
  const asked = `${url.href.replace(/\/$/, '')}${suffix}`;
  const first = addresses[0];
  const lookup: LookupFunction | undefined =
    first === undefined
      ? undefined
      : (_host, options, done) => {
          const found = { address: first, family: isIPv6(first) ? 6 : 4 };
          if (options.all) done(null, [found]);
          else done(null, found.address, found.family);
        };
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      asked,
      { signal, headers: { 'user-agent': 'git/veren' }, ...(lookup ? { lookup } : {}) },
      (response) => {
        response.destroy();
        const location = response.headers.location;
        if (location === undefined || !URL.canParse(location, asked)) return resolve(null);
        const target = new URL(location, asked).href;
        if (!/^https?:/.test(target)) return resolve(null);
        // Only a redirect of the whole repository: same suffix, other base. Source: git's http.c, update_url_from_redirect.
        resolve(target.endsWith(suffix) ? target.slice(0, -suffix.length) : null);
      },
    );
    request.on('error', () => resolve(null));
    request.end();
  });
}
