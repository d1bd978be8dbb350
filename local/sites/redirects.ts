import { decodePath, matchPath, substitute } from './match.ts';

export interface RedirectRule {
  /** A path pattern. */
  readonly from: string;
  /** Parameters that the request must have; a value `:name` takes what is there. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** A path, or an http(s) URL. */
  readonly to: string;
  readonly status: number;
  /** Goes before a file of that path. */
  readonly force: boolean;
}

const MAX_RULES = 5_000;
const isTarget = (part: string) => part.startsWith('/') || /^https?:\/\//.test(part);
const pair = (part: string): [string, string] => {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
};

/**
 * Reads a `_redirects` file: `from [query] [to] [status[!]] [conditions]`, one rule for each line, `#` for comments.
 * Rules that cannot hold here are left out: for another host, with conditions (country, language, role), or as a proxy to
 * another server. So are lines that are no rule; Netlify reports them and goes on.
 */
export function parseRedirects(text: string): RedirectRule[] {
  const rules: RedirectRule[] = [];
  for (const line of text.split(/\r?\n/)) {
    const rule = parseLine(line);
    if (rule && rules.length < MAX_RULES) rules.push(rule);
  }
  return rules;
}

function parseLine(line: string): RedirectRule | undefined {
  const parts = line.trim().split(/\s+/);
  const comment = parts.findIndex((part) => part.startsWith('#'));
  const [from = '', ...rest] = comment < 0 ? parts : parts.slice(0, comment);
  if (!from.startsWith('/') || rest.length === 0) return undefined;
  // `/path/* 200`: the target is the path itself.
  const forward = parseStatus(rest[0]) !== undefined;
  const at = forward ? 0 : rest.findIndex(isTarget);
  if (at < 0 || (forward && !from.endsWith('/*'))) return undefined;
  const to = forward ? from.replace(/\*$/, ':splat') : rest[at]!;
  const [statusPart, ...conditions] = rest.slice(forward ? 0 : at + 1);
  const status = statusPart === undefined ? 301 : parseStatus(statusPart);
  if (status === undefined || conditions.length > 0) return undefined;
  if (!to.startsWith('/') && !isRedirect(status)) return undefined;
  return { from, query: rest.slice(0, at).map(pair), to, status, force: statusPart?.endsWith('!') ?? false };
}

function parseStatus(part: string | undefined): number | undefined {
  const match = /^([2-5]\d\d)!?$/.exec(part ?? '');
  return match ? Number(match[1]) : undefined;
}

export const isRedirect = (status: number) => status >= 300 && status < 400;

export type RuleOutcome =
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  /** Show the file at `path` (decoded) under the address that was asked for. */
  | { readonly kind: 'rewrite'; readonly status: number; readonly path: string };

/**
 * The first rule that applies. @param path Decoded. @param search With its `?`, or empty.
 */
export function applyRedirects(
  rules: readonly RedirectRule[],
  path: string,
  search: string,
  forced: boolean,
): RuleOutcome | undefined {
  const parameters = new URLSearchParams(search);
  for (const rule of rules) {
    if (rule.force !== forced) continue;
    const captures = matchRule(rule, path, parameters);
    if (!captures) continue;
    const target = substitute(rule.to, captures);
    if (!isRedirect(rule.status)) {
      const wanted = decodePath(target.replace(/[?#].*$/s, ''));
      return { kind: 'rewrite', status: rule.status, path: wanted };
    }
    const location = target.startsWith('/') ? localTarget(target) : target;
    const passed = rule.query.length === 0 && !location.includes('?') ? withSearch(location, search) : location;
    // A rule that leads to where the visitor is already would lead there for ever.
    if (decodePath(location.replace(/[?#].*$/s, '')) === path) continue;
    return { kind: 'redirect', status: rule.status, location: headerSafe(passed) };
  }
  return undefined;
}

function matchRule(rule: RedirectRule, path: string, parameters: URLSearchParams) {
  const captures = matchPath(rule.from, path);
  if (!captures) return undefined;
  const all: Record<string, string> = Object.assign(Object.create(null), captures);
  for (const [name, wanted] of rule.query) {
    const value = parameters.get(name);
    if (value === null) return undefined;
    if (wanted.startsWith(':')) all[wanted.slice(1)] = value;
    else if (wanted !== value) return undefined;
  }
  return all;
}

/** `//host` and `/\host` would lead to another server: a path of this site begins with one slash. */
export const localTarget = (path: string) => path.replace(/^[/\\]+/, '/');

const withSearch = (location: string, search: string) => {
  const hash = location.indexOf('#');
  return hash < 0 ? location + search : location.slice(0, hash) + search + location.slice(hash);
};

/** A Location holds printable ASCII only. */
export const headerSafe = (location: string) =>
  Buffer.from(location) // half a surrogate pair has no encoding: here it becomes U+FFFD
    .toString()
    .replace(/[^\x21-\x7e]/gu, (c) => encodeURIComponent(c));
