import { decodePath, matchPattern, type Pattern, substitute } from './pattern.ts';
import { type IgnoredLine, PatternReader, type RuleFile } from './ruleFile.ts';

export interface RedirectRule {
  readonly from: Pattern;
  /** Parameters that the request must have; a value `:name` takes what is there. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** A path, or an http(s) URL. */
  readonly to: string;
  readonly status: number;
  /** Goes before a file of that path. */
  readonly force: boolean;
}

const isTarget = (part: string) => part.startsWith('/') || /^https?:\/\//.test(part);
const pair = (part: string): [string, string] => {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
};

/**
 * Reads a `_redirects` file: `from [query] [to] [status[!]] [conditions]`, one rule for each line, `#` for comments.
 * What cannot hold here has no effect, and is told with its reason: rules for another host, with conditions (country,
 * language, role, cookie), proxies to another server, and lines that are no rule.
 */
export function parseRedirects(text: string): RuleFile<RedirectRule> {
  const rules: RedirectRule[] = [];
  const ignored: IgnoredLine[] = [];
  const patterns = new PatternReader();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const parts = line.trim().split(/\s+/);
    const comment = parts.findIndex((part) => part.startsWith('#'));
    const words = comment < 0 ? parts : parts.slice(0, comment);
    if (words.join('') === '') continue;
    const rule = readRule(words, patterns);
    if (typeof rule === 'string') ignored.push({ line: i + 1, text: line.trim(), reason: rule });
    else rules.push(rule);
  }
  return { rules, ignored };
}

/** A reason in words where the line is no rule that can be honoured. */
function readRule([from = '', ...rest]: readonly string[], patterns: PatternReader): RedirectRule | string {
  if (/^https?:\/\//.test(from)) return 'rules for another host are not supported';
  if (!from.startsWith('/')) return 'a rule begins with a path';
  if (rest.length === 0) return 'a rule needs a target';
  // `/path/* 200`: the target is the path itself.
  const forward = /^[2-5]\d\d!?$/.test(rest[0] ?? '');
  const at = forward ? 0 : rest.findIndex(isTarget);
  if (at < 0) return 'a rule needs a target: a path, or a URL';
  if (forward && !from.endsWith('/*')) return 'only a path that ends with /* may go without a target';
  const to = forward ? from.replace(/\*$/, ':splat') : (rest[at] as string);
  const [statusPart = '301', ...conditions] = rest.slice(forward ? 0 : at + 1);
  if (/^[A-Za-z]+=/.test(statusPart) || conditions.length > 0)
    return 'conditions (country, language, role, cookie) are not supported';
  const status = Number(statusPart.replace(/!$/, ''));
  if (!isRedirect(status) && !isRewrite(status)) return `${statusPart} is no status that a rule may have`;
  if (!to.startsWith('/') && !isRedirect(status)) return 'proxying to another server is not supported';
  const pattern = patterns.read(from);
  if (typeof pattern === 'string') return pattern;
  return { from: pattern, query: rest.slice(0, at).map(pair), to, status, force: statusPart.endsWith('!') };
}

/** 300, 304 and 305 are no answer with a place to go. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** A page with another status: gone, forbidden, under maintenance. */
const REWRITES: readonly number[] = [200, 400, 401, 403, 404, 410, 418, 429, 451, 500, 502, 503, 504];
const isRewrite = (status: number) => REWRITES.includes(status);
export const isRedirect = (status: number) => REDIRECTS.includes(status);

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
  const captures = matchPattern(rule.from, path);
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
