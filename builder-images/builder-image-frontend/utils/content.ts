import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import mime from 'mime-types';
import { declaredCharset } from './charset.ts';

export const IMMUTABLE = 'public, max-age=31536000, immutable';
export const REVALIDATE = 'public, max-age=0, must-revalidate';

/** Files without a telling extension whose type is fixed elsewhere. */
const KNOWN: Readonly<Record<string, string>> = {
  'apple-app-site-association': 'application/json; charset=utf-8',
  _headers: 'text/plain; charset=utf-8',
  _redirects: 'text/plain; charset=utf-8',
};

/** What the table of types says otherwise, or nothing of, and browsers need: `nosniff` makes a wrong type an error. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  '.cjs': 'text/javascript; charset=utf-8',
  '.mts': 'text/plain; charset=utf-8',
  '.cts': 'text/plain; charset=utf-8',
  '.tsx': 'text/plain; charset=utf-8',
  '.importmap': 'application/importmap+json; charset=utf-8',
  '.topojson': 'application/json; charset=utf-8',
  '.ndjson': 'application/x-ndjson; charset=utf-8',
  '.jsonl': 'application/x-ndjson; charset=utf-8',
  '.cur': 'image/x-icon',
};

/**
 * Content type, with the charset where it is text.
 * @param body What is known of the content: with it no charset is given that the file itself contradicts. Without it text
 * is taken to be UTF-8, as bundlers write it.
 */
export function contentType(path: string, body?: Buffer): string {
  const type = typeByName(path, body);
  return body && type.endsWith('; charset=utf-8') ? withCharset(type.replace(/;.*/, ''), body) : type;
}

/** Of a file that is not held in memory: a page so large says itself what it is written in. */
export const contentTypeUnread = (path: string): string => {
  const type = contentType(path);
  return isHtml(type) ? type.replace(/;.*/, '') : type;
};

function typeByName(path: string, body: Buffer | undefined): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const extension = extname(name).toLowerCase();
  const known = KNOWN[name] ?? BY_EXTENSION[extension];
  if (known) return known;
  // Video of the same extension has a mark at the start of each packet of 188 bytes.
  if (extension === '.ts' && body) return isTransportStream(body) ? 'video/mp2t' : 'text/plain; charset=utf-8';
  return mime.contentType(extension || name) || 'application/octet-stream';
}

const isTransportStream = (body: Buffer) => body[0] === 0x47 && (body.length <= 188 || body[188] === 0x47);

/**
 * A charset in Content-Type goes before what the file says of itself. So a page's own declaration is repeated, and text that
 * is not UTF-8 has none: the browser then looks into it.
 */
function withCharset(type: string, body: Buffer): string {
  const declared = isHtml(type) ? declaredCharset(body) : undefined;
  if (declared !== undefined) return `${type}; charset=${declared}`;
  return isUtf8(body) ? `${type}; charset=utf-8` : type;
}

export const isHtml = (type: string) => type.startsWith('text/html') || type.startsWith('application/xhtml+xml');

/** Types for which a content hash in the name is a promise: pages and service workers are found by their plain names. */
const ASSET =
  /\.(?:m?js|css|map|json|wasm|svg|png|jpe?g|gif|webp|avif|ico|bmp|woff2?|ttf|otf|eot|mp4|webm|mp3|ogg|pdf)$/i;

/** How often the kind of character (small, capital, digit, other) changes along a text: often in a hash, rarely in a word. */
function countChanges(text: string): number {
  const kindOf = (c: string) => (/[a-z]/.test(c) ? 0 : /[A-Z]/.test(c) ? 1 : /\d/.test(c) ? 2 : 3);
  return [...text].filter((c, i, all) => i > 0 && kindOf(c) !== kindOf(all[i - 1]!)).length;
}

/**
 * Does a bundler's content hash stand in the name? `main.3f2a91bc.js`, `index-BXl3k9aQ.js`, `chunk.3f2a91bc.min.css`: the
 * last part before the extension, at least 8 characters, that neither a word nor a date nor a version looks like. In
 * doubt no: a page that revalidates too much is slower, one that never does is wrong.
 */
export function hasContentHash(path: string): boolean {
  if (!ASSET.test(path)) return false;
  if (/(?:^|\/)(?:_next\/static\/(?:chunks|css|media)|_app\/immutable)\//.test(path)) return true;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const stem = name
    .replace(/\.map$/, '')
    .replace(/\.[^.]+$/, '')
    .replace(/\.(?:min|chunk|module|bundle|async|legacy)$/, '');
  const hash = /[.\-_~]([A-Za-z0-9_-]{8}|[A-Za-z0-9]{8,64})$/.exec(stem)?.[1];
  if (hash === undefined) return false;
  if (/^[0-9a-f]+$/.test(hash)) return /\d/.test(hash) && /[a-f]/.test(hash);
  return /[a-z]/.test(hash) && /[A-Z]/.test(hash) && countChanges(hash) >= 4;
}

/** `built`: a build step ran. Without one nothing has put hashes into names, so nothing is immutable. */
export const cacheControl = (path: string, built: boolean) => (built && hasContentHash(path) ? IMMUTABLE : REVALIDATE);

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:javascript|json|manifest\+json|xml|wasm|rss\+xml|atom\+xml|xhtml\+xml|geo\+json|ld\+json|vnd\.ms-fontobject)|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(?:ttf|otf))/;
export const isCompressible = (type: string) => COMPRESSIBLE.test(type);
