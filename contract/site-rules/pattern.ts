/**
 * Path patterns of `_redirects` and `_headers`: `*` anywhere stands for any characters, `/` among them, `:name` for one
 * segment or a part of one, and a whole last segment `*` also for nothing. A `:` after a letter or digit is itself, as
 * in `/wiki/Talk:Main`. Patterns come from users, so none becomes a regular expression: matching takes time in
 * proportion to pattern length times path length, whatever the pattern is. Sources: Netlify documentation, "Redirect
 * options" and "Custom headers"; Cloudflare Pages documentation, "Headers" and "Redirects".
 */
export type Captures = Readonly<Record<string, string>>;

type Token =
  | { readonly kind: 'text'; readonly text: string }
  /** `*`. */
  | { readonly kind: 'any' }
  /** `:name`: one character or more, none of them `/`. */
  | { readonly kind: 'name'; readonly name: string };

export interface Pattern {
  readonly tokens: readonly Token[];
  /** A whole segment `*` at the end: the folder itself and everything below it. */
  readonly below: boolean;
  /** Characters that count against `MAX_SEARCHED_CHARACTERS`; 0 where one comparison is enough. */
  readonly searched: number;
}

/** No real pattern or path is longer; the product of the limits bounds the work of a request. */
export const MAX_PATTERN_LENGTH = 1_000;
const MAX_PATH_LENGTH = 2_048;
/** Characters of all patterns of one file that have to be searched with: about 500 rules. */
export const MAX_SEARCHED_CHARACTERS = 20_000;

const WILDCARD = /\*|(?<![A-Za-z0-9]):([A-Za-z_]\w*)/g;

export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Slashes at the end and repeated ones make no difference. */
const normalise = (path: string) => `/${path.split('/').filter(Boolean).join('/')}`;

/** A request's path is matched with thousands of patterns: taken apart for each, a long one would take seconds. */
let lastRequested = { path: '/', normal: '/' };
function normaliseRequested(path: string): string {
  if (path !== lastRequested.path) lastRequested = { path, normal: normalise(path) };
  return lastRequested.normal;
}

export function parsePattern(written: string): Pattern {
  const whole = normalise(written);
  const below = whole.endsWith('/*');
  const text = below ? whole.slice(0, -2) : whole;
  const tokens: Token[] = [];
  const addText = (part: string) => part !== '' && tokens.push({ kind: 'text', text: decodePath(part) });
  let end = 0;
  for (const match of text.matchAll(WILDCARD)) {
    addText(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[1] !== undefined) tokens.push({ kind: 'name', name: match[1] });
    else if (tokens.at(-1)?.kind !== 'any') tokens.push({ kind: 'any' });
  }
  addText(text.slice(end));
  return { tokens, below, searched: tokens.some(({ kind }) => kind !== 'text') ? text.length : 0 };
}

/** @param path Decoded. Undefined: no match. With several `*`, `splat` is what the last one took. */
export function matchPattern(pattern: Pattern, path: string): Captures | undefined {
  const given = normaliseRequested(path);
  const captures: Record<string, string> = Object.create(null);
  if (pattern.searched === 0) {
    const [token] = pattern.tokens;
    const head = token?.kind === 'text' ? token.text : '';
    if (!given.startsWith(head) || !mayEnd(pattern, given, head.length)) return undefined;
    if (pattern.below) captures.splat = given.slice(head.length + 1);
    return captures;
  }
  if (given.length > MAX_PATH_LENGTH || !beginsLike(pattern, given)) return undefined;
  return capture(pattern, given, matchingSuffixes(pattern, given), captures);
}

export const matchPath = (pattern: string, path: string): Captures | undefined =>
  matchPattern(parsePattern(pattern), path);

const mayEnd = ({ below }: Pattern, path: string, at: number) => at === path.length || (below && path[at] === '/');

function beginsLike({ tokens: [first] }: Pattern, path: string): boolean {
  return first?.kind !== 'text' || path.startsWith(first.text);
}

/** For each token: at which positions of the path the pattern from this token on matches what is left of the path. */
function matchingSuffixes(pattern: Pattern, path: string): Uint8Array[] {
  const n = path.length;
  let after = new Uint8Array(n + 1);
  for (let at = 0; at <= n; at++) after[at] = mayEnd(pattern, path, at) ? 1 : 0;
  const rows = [after];
  for (const token of [...pattern.tokens].reverse()) {
    const row = new Uint8Array(n + 1);
    if (token.kind === 'text') {
      const { text } = token;
      for (let at = 0; at + text.length <= n; at++)
        if (after[at + text.length] === 1 && path.startsWith(text, at)) row[at] = 1;
    } else if (token.kind === 'any') {
      row[n] = after[n] as number;
      for (let at = n - 1; at >= 0; at--) row[at] = after[at] === 1 || row[at + 1] === 1 ? 1 : 0;
    } else
      for (let at = n - 1; at >= 0; at--)
        row[at] = path[at] !== '/' && (after[at + 1] === 1 || row[at + 1] === 1) ? 1 : 0;
    rows.unshift(row);
    after = row;
  }
  return rows;
}

/** Walks the one way on which each wildcard takes as much as it can. */
function capture(
  pattern: Pattern,
  path: string,
  rows: readonly Uint8Array[],
  captures: Record<string, string>,
): Captures | undefined {
  if (rows[0]?.[0] !== 1) return undefined;
  let at = 0;
  for (const [i, token] of pattern.tokens.entries()) {
    const after = rows[i + 1] as Uint8Array;
    if (token.kind === 'text') {
      at += token.text.length;
      continue;
    }
    const slash = path.indexOf('/', at);
    let end = token.kind === 'any' || slash < 0 ? path.length : slash;
    while (after[end] !== 1) end--;
    captures[token.kind === 'any' ? 'splat' : token.name] = path.slice(at, end);
    at = end;
  }
  if (pattern.below) captures.splat = path.slice(at + 1);
  return captures;
}

/** A capture may end within a character of two halves, which have no encoding of their own: they become U+FFFD. */
const encodeSegment = (text: string) => encodeURIComponent(Buffer.from(text).toString());

/** Puts captures in for `:name`; a name that captured nothing stays as it is. */
export const substitute = (template: string, captures: Captures) =>
  template.replace(/:([A-Za-z_]\w*)/g, (whole, name: string) => {
    const value = captures[name];
    return value === undefined ? whole : value.split('/').map(encodeSegment).join('/');
  });
