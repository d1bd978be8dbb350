/**
 * A URL by the URL standard; undefined for text that is none.
 *
 * `URL.canParse` is not used: once V8 has compiled its caller, Node 20 reads letters like "ü" as broken UTF-8 and
 * answers false for a URL that holds one.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
