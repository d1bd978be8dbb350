/** Children in order; an array repeats its element; `undefined` leaves the element out. */
export type XmlNode = string | number | boolean | undefined | readonly XmlNode[] | { readonly [name: string]: XmlNode };

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Text of an element. Characters that XML 1.0 cannot hold at all become U+FFFD. */
export const escapeXml = (text: string) =>
  text
    .replace(/[&<>"\r]/g, (c) => ESCAPES[c] ?? c)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');

const writeElement = (name: string, node: XmlNode): string => {
  if (node === undefined) return '';
  if (Array.isArray(node)) return node.map((n) => writeElement(name, n)).join('');
  return `<${name}>${writeContent(node)}</${name}>`;
};

const writeContent = (node: XmlNode): string =>
  typeof node === 'object' && node !== null
    ? Object.entries(node)
        .map(([name, child]) => writeElement(name, child as XmlNode))
        .join('')
    : escapeXml(String(node));

export function xmlDocument(root: string, node: XmlNode, namespace?: string): string {
  const open = namespace ? `${root} xmlns="${namespace}"` : root;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${open}>${writeContent(node)}</${root}>`;
}
