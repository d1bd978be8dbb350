import { matchPattern, type Pattern, substitute } from './pattern.ts';
import { type IgnoredLine, PatternReader, type RuleFile } from './ruleFile.ts';

export interface HeaderRule {
  readonly pattern: Pattern;
  /** A value of null takes away what rules above have set. */
  readonly headers: readonly (readonly [name: string, value: string | null])[];
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Headers that the server itself sets, and those of Netlify's list. `Basic-Auth` is an instruction, not a header. */
const REFUSED = new Set(
  'accept-ranges age allow alt-svc basic-auth connection content-encoding content-length content-range date etag keep-alive last-modified location server trailer transfer-encoding upgrade vary'.split(
    ' ',
  ),
);

/**
 * Headers that take effect on all ports of a host name. Every site, the API and other servers of this machine share
 * 127.0.0.1, so these are sent for a site's own name only (`<project>.localhost`).
 */
const HOST_WIDE = new Set(
  'set-cookie set-cookie2 clear-site-data sec-session-registration secure-session-registration'.split(' '),
);

/**
 * Each value of this header needs a field of its own, since a comma does not separate cookies. Source: RFC 6265,
 * section 3.
 */
const isCookie = (name: string) => name.startsWith('set-cookie');
/** A cookie for a wider name would reach other sites. */
const isWideCookie = (name: string, value: string) => isCookie(name) && /;\s*domain\s*=/i.test(value);

/**
 * Reads a `_headers` file: a path pattern on a line of its own, below it lines `Name: value`, or `! Name` to take away what
 * a rule above has set; `#` for comments. Every other line has no effect and is returned with its reason.
 */
export function parseHeaders(text: string): RuleFile<HeaderRule> {
  const rules: { pattern: Pattern; headers: [string, string | null][] }[] = [];
  const ignored: IgnoredLine[] = [];
  const patterns = new PatternReader();
  let current: { pattern: Pattern; headers: [string, string | null][] } | undefined;
  let skipping = false;
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const ignore = (reason: string) => ignored.push({ line: i + 1, text: line, reason });
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('/') || /^https?:\/\//.test(line)) {
      const pattern = line.startsWith('/') ? patterns.read(line) : 'rules for another host are not supported';
      skipping = typeof pattern === 'string';
      current = typeof pattern === 'string' ? undefined : { pattern, headers: [] };
      if (current) rules.push(current);
      else ignore(pattern as string);
      continue;
    }
    if (skipping) continue; // the fault of its path is already in the list
    if (!current) {
      ignore('no path stands above it');
      continue;
    }
    const header = readHeader(line);
    // The value is left out: `Basic-Auth` holds a password, and everybody who follows the build sees the warning.
    if (typeof header === 'string') ignored.push({ line: i + 1, text: line.replace(/:.*/s, ''), reason: header });
    else current.headers.push(header);
  }
  return { rules, ignored };
}

/** Why a line cannot be honoured; undefined where it can. */
function readHeader(line: string): [string, string | null] | string {
  const detached = /^!\s*([^\s:]+)$/.exec(line)?.[1];
  if (detached !== undefined && NAME.test(detached)) return [detached.toLowerCase(), null];
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim();
  const value = line.slice(colon + 1).trim();
  if (!NAME.test(name)) return 'it is no "Name: value"';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'the value holds characters that a header cannot have';
  if (REFUSED.has(name.toLowerCase())) return `${name} is for the server to set`;
  if (isWideCookie(name.toLowerCase(), value)) return 'a cookie for a wider domain would reach other sites';
  return [name, value];
}

/**
 * Headers of all rules that match. Values of one name are joined, as Netlify does; cookies stay fields of their own, and of
 * content types the last one holds.
 * @param path Decoded.
 * @param sharedHost Other servers have the same host name.
 */
export function headersFor(
  rules: readonly HeaderRule[],
  path: string,
  sharedHost: boolean,
): Map<string, string | string[]> {
  const found = new Map<string, string | string[]>();
  for (const { pattern, headers } of rules) {
    const captures = matchPattern(pattern, path);
    if (!captures) continue;
    for (const [name, written] of headers) {
      const key = name.toLowerCase();
      if (sharedHost && HOST_WIDE.has(key)) continue;
      if (written === null) {
        found.delete(key);
        continue;
      }
      const value = substitute(written, captures);
      // A placeholder that the visitor's path fills may add a `Domain` attribute.
      if (isWideCookie(key, value)) continue;
      const before = found.get(key);
      if (isCookie(key)) found.set(key, [...(before ?? []), value]);
      else if (key === 'content-type') found.set(key, value);
      else found.set(key, before === undefined ? value : `${before}, ${value}`);
    }
  }
  return found;
}
