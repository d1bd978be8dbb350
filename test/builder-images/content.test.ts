import { contentType, contentTypeUnread } from '../../builder-images/builder-image-frontend/utils/content.ts';

const page = (head: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(`<!doctype html>${head}<p>x</p>`, encoding);

test.each<[string, Buffer, string]>([
  ['none, UTF-8', page('<p>ä'), 'utf-8'],
  ['meta charset', page('<meta charset="windows-1251">'), 'windows-1251'],
  ['its standard name', page("<META CHARSET='Latin1'>"), 'windows-1252'],
  ['without quotes', page('<meta charset=shift_jis >'), 'shift_jis'],
  ['http-equiv', page('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">'), 'iso-8859-2'],
  ['http-equiv, other order', page('<meta content="text/html;charset=euc-kr" http-equiv=content-type>'), 'euc-kr'],
  ['UTF-8', page('<meta charset="UTF-8">'), 'utf-8'],
  ['UTF-16, which a page that can be read so is not', page('<meta charset="utf-16">'), 'utf-8'],
  ['no such charset', page('<meta charset="klingon">'), 'utf-8'],
  ['in a comment', page('<!-- <meta charset="big5"> -->'), 'utf-8'],
  ['in another attribute', page('<meta name="x" content="charset=big5">'), 'utf-8'],
  ['of two the first', page('<meta charset="big5"><meta charset="utf-8">'), 'big5'],
  ['a mark goes before', Buffer.concat([Buffer.from('\ufeff'), page('<meta charset="big5">')]), 'utf-8'],
  ['UTF-16 with a mark', Buffer.from('\ufeff<p>x', 'utf16le'), 'utf-16le'],
  ['beyond what browsers look at', page(`${' '.repeat(2_000)}<meta charset="big5">`), 'utf-8'],
])('charset of a page: %s', (_, body, charset) => {
  expect(contentType('a/index.html', body)).toBe(`text/html; charset=${charset}`);
});

test('text that is not UTF-8 has no charset; a large page declares its own', () => {
  expect(contentType('a.html', page('<p>ä', 'latin1'))).toBe('text/html');
  expect(contentType('a.css', Buffer.from('@charset "iso-8859-1"; a{content:"ä"}', 'latin1'))).toBe('text/css');
  expect(contentType('a.txt', Buffer.from('ä'))).toBe('text/plain; charset=utf-8');
  expect(contentType('a.txt', Buffer.from('ä', 'latin1'))).toBe('text/plain');
  expect(contentTypeUnread('a.html')).toBe('text/html');
  expect(contentTypeUnread('a.js')).toBe('text/javascript; charset=utf-8');
});

test('a declaration cannot put anything else into the header', () => {
  for (const label of ['x\r\nSet-Cookie: a=1', 'utf-8; x=1', '"', 'ü'])
    expect(contentType('a.html', page(`<meta charset="${label}">`))).toMatch(/^text\/html; charset=utf-8$/);
});

test.each([
  ['a.cjs', 'text/javascript; charset=utf-8'],
  ['a.mjs', 'text/javascript; charset=utf-8'],
  ['A.JS', 'text/javascript; charset=utf-8'],
  ['a.wasm', 'application/wasm'],
  ['a.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['a.avif', 'image/avif'],
  ['a.jsonld', 'application/ld+json'],
  ['a.js.map', 'application/json; charset=utf-8'],
  ['a.importmap', 'application/importmap+json; charset=utf-8'],
  ['a.woff2', 'font/woff2'],
  ['a.unheard-of', 'application/octet-stream'],
  ['LICENSE', 'application/octet-stream'],
])('type of %s', (path, type) => {
  expect(contentType(path)).toBe(type);
});

test('.ts is video only where it begins as one', () => {
  const packet = Buffer.alloc(376);
  packet[0] = packet[188] = 0x47;
  expect(contentType('a.ts', packet)).toBe('video/mp2t');
  expect(contentType('a.ts', Buffer.from('G'.padEnd(300)))).toBe('text/plain; charset=utf-8');
  expect(contentType('a.ts', Buffer.from('export const a = 1;'))).toBe('text/plain; charset=utf-8');
});
