import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { namesEtag } from '../s3/objectHeaders.ts';
import { parseRange } from '../s3/range.ts';
import { forOneVisitor } from './cacheControl.ts';
import type { SiteFile, SiteFiles } from './siteFiles.ts';

/** Precompressed variants beside a file, best first: `<path>.br`, `<path>.gz`, with their Content-Encoding stored. */
const VARIANTS = [
  { encoding: 'br', suffix: '.br' },
  { encoding: 'gzip', suffix: '.gz' },
] as const;
const DECODERS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  br: createBrotliDecompress,
  gzip: createGunzip,
};

/** True where Accept-Encoding allows this coding. Source: RFC 9110, section 12.5.3. */
export function acceptsEncoding(header: string | undefined, encoding: string): boolean {
  const weights = new Map<string, number>();
  for (const part of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((p) => p.trim());
    const q = parameters.find((p) => p.startsWith('q='));
    weights.set(name === 'x-gzip' ? 'gzip' : name, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  return (weights.get(encoding) ?? weights.get('*') ?? 0) > 0;
}

const COMPRESSIBLE = /^(text\/|application\/(javascript|json|xml|wasm|.*\+(json|xml))|image\/svg\+xml|font\/(ttf|otf))/;

/** The representation for this visitor: a variant where there is one that it understands. */
async function negotiateEncoding(
  files: SiteFiles,
  path: string,
  file: SiteFile,
  request: IncomingMessage,
): Promise<SiteFile> {
  if (file.encoding || !COMPRESSIBLE.test(file.type)) return file;
  for (const { encoding, suffix } of VARIANTS) {
    if (!acceptsEncoding(request.headers['accept-encoding'] as string | undefined, encoding)) continue;
    const variant = await files.find(path + suffix);
    // A file of the site's own may have such a name: what is no variant has no encoding.
    if (variant?.encoding === encoding) return { ...variant, type: file.type };
  }
  return file;
}

/**
 * False where the file was replaced before it could be read: to be looked up again.
 * @param locked Not everybody may see it, so no cache that people share may keep it.
 */
export async function sendFile(
  files: SiteFiles,
  found: { path: string; file: SiteFile; status: number },
  extra: ReadonlyMap<string, string | string[]>,
  request: IncomingMessage,
  response: ServerResponse,
  locked = false,
): Promise<boolean> {
  const file = await negotiateEncoding(files, found.path, found.file, request);
  const acceptEncoding = request.headers['accept-encoding'] as string | undefined;
  const decoder =
    file.encoding && !acceptsEncoding(acceptEncoding, file.encoding) ? DECODERS[file.encoding] : undefined;
  const etag = decoder ? `W/${file.etag.replace(/"$/, '-plain"')}` : file.etag;
  const varies = file.encoding !== undefined || COMPRESSIBLE.test(file.type);
  const headers: Record<string, string | string[]> = {
    'content-type': file.type,
    'cache-control': file.cacheControl,
    ...Object.fromEntries(extra),
    etag,
    'last-modified': file.modified.toUTCString(),
    ...(varies && { vary: 'Accept-Encoding' }),
  };
  if (locked) {
    const given = Object.keys(headers).filter((name) => name.toLowerCase() === 'cache-control');
    const last = headers[given.at(-1)!];
    for (const name of given) delete headers[name];
    headers['cache-control'] = forOneVisitor([last ?? ''].flat().join(', '));
  }
  if (found.status === 200 && isAnotherVersion(request, etag, file.modified)) {
    response.writeHead(412, { ...headers, 'content-length': '0' }).end();
    return true;
  }
  if (found.status === 200 && isNotModified(request, etag, file.modified)) {
    response.writeHead(304, headers).end();
    return true;
  }

  const range =
    !decoder && found.status === 200 && request.method === 'GET' && rangeApplies(request, file, etag)
      ? parseRange(request.headers.range, file.size)
      : undefined;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${file.size}`, 'content-length': '0' }).end();
    return true;
  }
  if (!decoder) {
    headers['accept-ranges'] = 'bytes';
    headers['content-length'] = String(range ? range.end - range.start + 1 : file.size);
    if (file.encoding) headers['content-encoding'] = file.encoding;
    if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${file.size}`;
  }
  const status = range ? 206 : found.status;
  if (request.method === 'HEAD') {
    response.writeHead(status, headers).end();
    return true;
  }
  const body = await files.open(file, range && `bytes=${range.start}-${range.end}`);
  if (!body) return false;
  response.writeHead(status, headers);
  await transferBody(body, decoder, response);
  return true;
}

async function transferBody(
  body: Readable,
  decoder: (() => NodeJS.ReadWriteStream) | undefined,
  response: ServerResponse,
) {
  // A visitor who leaves during the answer is no fault; only the file is closed.
  await (decoder ? pipeline(body, decoder(), response) : pipeline(body, response)).catch(() => response.destroy());
}

const seconds = (date: Date) => Math.floor(date.getTime() / 1_000) * 1_000;

/**
 * True where the visitor continues a version that no longer exists. Only strong tags count, and a date counts without a
 * tag. Source: RFC 9110, section 13.2.2.
 */
function isAnotherVersion(request: IncomingMessage, etag: string, modified: Date): boolean {
  const { 'if-match': tags, 'if-unmodified-since': since } = request.headers;
  if (tags !== undefined) {
    if (tags.trim() === '*') return false;
    const wanted: readonly string[] = tags.match(/(?:W\/)?"[^"]*"/g) ?? [];
    return etag.startsWith('W/') || !wanted.includes(etag);
  }
  return since !== undefined && seconds(modified) > Date.parse(since);
}

/** Source: RFC 9110, section 13.2.2. */
function isNotModified(request: IncomingMessage, etag: string, modified: Date): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers;
  if (tags !== undefined) return namesEtag(tags, etag.replace(/^W\//, '').replaceAll('"', ''));
  return since !== undefined && seconds(modified) <= Date.parse(since);
}

/** Ranges are defined for GET alone (RFC 9110, section 14.2). If-Range: the part only where the rest that the visitor has is of this very version. */
function rangeApplies(request: IncomingMessage, file: SiteFile, etag: string): boolean {
  const condition = request.headers['if-range'] as string | undefined;
  return condition === undefined || condition === etag || condition === file.modified.toUTCString();
}
