/**
 * Paths as `_redirects` and `_headers` write them: literal segments, `:name` for one segment, and `*` at the end for any
 * number of them. Compared segment by segment: no pattern of a stranger becomes a regular expression.
 * Source: Netlify documentation, "Redirect options" and "Custom headers".
 */
export type Captures = Readonly<Record<string, string>>;

const segments = (path: string) => path.split('/').filter((segment) => segment !== '');

export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** @param path Decoded. A slash at the end makes no difference. Undefined: no match. */
export function matchPath(pattern: string, path: string): Captures | undefined {
  const wanted = segments(decodePath(pattern));
  const given = segments(path);
  const captures: Record<string, string> = Object.create(null);
  for (const [i, segment] of wanted.entries()) {
    if (segment === '*' && i === wanted.length - 1) {
      captures.splat = given.slice(i).join('/');
      return captures;
    }
    const value = given[i];
    if (value === undefined) return undefined;
    if (segment.length > 1 && segment.startsWith(':')) captures[segment.slice(1)] = value;
    else if (segment !== value) return undefined;
  }
  return given.length === wanted.length ? captures : undefined;
}

/** Puts captures in for `:name`; a name that captured nothing stays as it is. */
export const substitute = (template: string, captures: Captures) =>
  template.replace(/:([A-Za-z_]\w*)/g, (whole, name: string) => {
    const value = captures[name];
    return value === undefined ? whole : value.split('/').map(encodeURIComponent).join('/');
  });
