import { matchPath } from './match.ts';

export interface HeaderRule {
  readonly pattern: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const MAX_RULES = 5_000;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Those that the server itself has to get right, and Netlify's list. `Basic-Auth` is an instruction, not a header. */
const REFUSED = new Set(
  'accept-ranges age allow alt-svc basic-auth connection content-encoding content-length content-range date etag keep-alive last-modified location server trailer transfer-encoding upgrade vary'.split(
    ' ',
  ),
);

/**
 * What holds for all ports of a host name. 127.0.0.1 is shared by every site, the API and other servers on this machine,
 * so these are for a site's own name only (`<project>.localhost`).
 */
const HOST_WIDE = new Set(
  'set-cookie set-cookie2 clear-site-data sec-session-registration secure-session-registration'.split(' '),
);

/**
 * Reads a `_headers` file: a path pattern on a line of its own, below it lines `Name: value`, `#` for comments.
 * Lines that are neither are left out, and so is what stands below the URL of another site.
 */
export function parseHeaders(text: string): HeaderRule[] {
  const rules: { pattern: string; headers: [string, string][] }[] = [];
  let current: { pattern: string; headers: [string, string][] } | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('/') || /^https?:\/\//.test(line)) {
      current = line.startsWith('/') && rules.length < MAX_RULES ? { pattern: line, headers: [] } : undefined;
      if (current) rules.push(current);
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const value = line.slice(colon + 1).trim();
    if (current && NAME.test(name) && !REFUSED.has(name.toLowerCase()) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      current.headers.push([name, value]);
  }
  return rules;
}

/**
 * Headers of all rules that match; values of one name are joined, as Netlify does.
 * @param path Decoded.
 * @param sharedHost Other servers have the same host name.
 */
export function headersFor(rules: readonly HeaderRule[], path: string, sharedHost: boolean): Map<string, string> {
  const found = new Map<string, string>();
  for (const { pattern, headers } of rules) {
    if (!matchPath(pattern, path)) continue;
    for (const [name, value] of headers) {
      const key = name.toLowerCase();
      if (sharedHost && HOST_WIDE.has(key)) continue;
      // A cookie for a wider name would reach the other sites again.
      if (key.startsWith('set-cookie') && /;\s*domain\s*=/i.test(value)) continue;
      const before = found.get(key);
      found.set(key, before === undefined ? value : `${before}, ${value}`);
    }
  }
  return found;
}
