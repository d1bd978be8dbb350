/** How far browsers look for a declaration. Source: HTML standard, "prescan a byte stream to determine its encoding". */
const PRESCAN_BYTES = 1_024;
/** As `TextDecoder` writes the encoding that the standard takes for a page in another one of these. */
const READ_AS: Readonly<Record<string, string>> = { 'utf-16le': 'utf-8', 'utf-16be': 'utf-8' };

/**
 * The charset that an HTML page declares in itself, by its standard name: by a byte order mark, `<meta charset>` or
 * `<meta http-equiv="Content-Type">`. Undefined where it declares none that exists.
 */
export function declaredCharset(page: Buffer): string | undefined {
  if (page[0] === 0xef && page[1] === 0xbb && page[2] === 0xbf) return 'utf-8';
  if (page[0] === 0xff && page[1] === 0xfe) return 'utf-16le';
  if (page[0] === 0xfe && page[1] === 0xff) return 'utf-16be';
  const head = page
    .subarray(0, PRESCAN_BYTES)
    .toString('latin1')
    .replaceAll(/<!--[\s\S]*?-->/g, '');
  for (const [tag] of head.matchAll(/<meta[\s/][^>]*>/gi)) {
    const label = metaLabel(tag);
    const name = label === undefined ? undefined : encodingName(label);
    if (name !== undefined) return READ_AS[name] ?? name;
  }
  return undefined;
}

function metaLabel(tag: string): string | undefined {
  const attributes = new Map<string, string>();
  for (const [, name = '', quoted, single, bare] of tag
    .slice('<meta'.length, -1)
    .matchAll(/([^\s/=>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g))
    if (!attributes.has(name.toLowerCase())) attributes.set(name.toLowerCase(), quoted ?? single ?? bare ?? '');
  const direct = attributes.get('charset');
  if (direct !== undefined) return direct;
  if (attributes.get('http-equiv')?.toLowerCase() !== 'content-type') return undefined;
  return /charset\s*=\s*["']?([^\s"';]+)/i.exec(attributes.get('content') ?? '')?.[1];
}

function encodingName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined; // no encoding has this name
  }
}
