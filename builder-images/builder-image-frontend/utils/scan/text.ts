import { createBrotliDecompress, createGunzip } from 'node:zlib';

/** How the bytes of a file become text. `none`: compressed pictures, films, fonts and archives, which hold none to be read. */
export type Reading = 'bytes' | 'utf-16le' | 'utf-16be' | 'gzip' | 'brotli' | 'none';

/** What a file of a compressed format begins with: text at the start, or text at an offset. Sources: each format's specification. */
const COMPRESSED: readonly (readonly [offset: number, start: string])[] = [
  [0, '\x89PNG\r\n'],
  [0, '\xff\xd8\xff'], // JPEG
  [0, 'GIF8'],
  [8, 'WEBP'],
  [4, 'ftyp'], // MP4, MOV, AVIF, HEIC
  [0, '\x1a\x45\xdf\xa3'], // Matroska, WebM
  [0, 'OggS'],
  [0, 'fLaC'],
  [0, 'wOFF'],
  [0, 'wOF2'],
  [0, 'PK\x03\x04'], // ZIP
  [0, 'Rar!'],
  [0, '7z\xbc\xaf'],
  [0, '\xfd7zXZ'],
  [0, 'BZh'],
  [0, '\x28\xb5\x2f\xfd'], // Zstandard
];
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u0080-\u00ff]/;
export const SNIFFED = 512;

/** By the first bytes, and for Brotli, which has no mark, by the name. */
export function readingOf(path: string, first: Buffer): Reading {
  if (first.length >= 2) {
    if (first[0] === 0xff && first[1] === 0xfe) return 'utf-16le';
    if (first[0] === 0xfe && first[1] === 0xff) return 'utf-16be';
    if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  }
  if (/\.br$/i.test(path)) return 'brotli';
  const text = first.toString('latin1');
  const mark = COMPRESSED.find(([offset, start]) => text.startsWith(start, offset))?.[1];
  // Marks that are words may begin a text, too (`var ftyp=…`), in which there are no such characters.
  if (mark !== undefined && (CONTROL.test(mark) || CONTROL.test(text))) return 'none';
  return withoutMark(first) ?? 'bytes';
}

/** UTF-16 without a byte order mark: in a Latin text every second byte is zero. */
function withoutMark(first: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const pairs = first.length >> 1;
  if (pairs < 8) return undefined;
  const zeros = [0, 0];
  for (let i = 0; i < pairs * 2; i++) if (first[i] === 0) zeros[i & 1]!++;
  if (zeros[1]! > pairs * 0.7 && zeros[0]! < pairs * 0.1) return 'utf-16le';
  if (zeros[0]! > pairs * 0.7 && zeros[1]! < pairs * 0.1) return 'utf-16be';
  return undefined;
}

/** Turns parts of a file into text. Tokens are ASCII, so other encodings than UTF-16 are read byte by byte. */
export function decoderOf(reading: Reading): (part: Buffer) => string {
  if (reading !== 'utf-16le' && reading !== 'utf-16be') return (part) => part.toString('latin1');
  const decoder = new TextDecoder(reading);
  return (part) => decoder.decode(part, { stream: true });
}

/** What a compressed text may become: a few bytes can be made into as many as there is time for. */
export const MAX_INFLATED = 32 * 1_024 * 1_024;

/**
 * Gives the parts of a compressed file's content, up to `MAX_INFLATED`. False where there was more, or where it is not what
 * it says to be.
 */
export async function inflate(
  reading: 'gzip' | 'brotli',
  parts: AsyncIterable<Buffer>,
  onPart: (part: Buffer) => void,
): Promise<boolean> {
  const unpack = reading === 'gzip' ? createGunzip() : createBrotliDecompress();
  const closed = new Promise<void>((resolve) => unpack.once('close', resolve));
  const feed = async () => {
    for await (const part of parts) {
      if (unpack.destroyed) continue; // the rest is read for its checksum
      await Promise.race([closed, new Promise<void>((resolve) => unpack.write(part, () => resolve()))]);
    }
    if (!unpack.destroyed) unpack.end();
  };
  const fed = feed();
  fed.catch((error: Error) => unpack.destroy(error));
  let size = 0;
  try {
    for await (const part of unpack as AsyncIterable<Buffer>) {
      size += part.length;
      onPart(part);
      if (size > MAX_INFLATED) break;
    }
  } catch {
    size = Number.POSITIVE_INFINITY;
  }
  unpack.destroy();
  await fed;
  return size <= MAX_INFLATED;
}
