import fc from 'fast-check';
import { LineSplitter, removeControls } from '../../../builder-images/shared/lines.ts';
import { createMasker, secretsOf } from '../../../builder-images/shared/masker.ts';
import { MAX_LOG_LINE } from '../../../contract/events.ts';

const none = createMasker([]);

function split(chunks: readonly Buffer[], mask = none): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(mask, (line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

/** Cuts a buffer at the given places, anywhere in characters too. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((p) => p % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, i) => whole.subarray(at[i], end));
}

const places = fc.array(fc.nat(100_000), { maxLength: 8 });

test('however output is cut into writes, the lines are the same', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), places, (parts, at) => {
      const whole = Buffer.from(parts.join('\n'));
      expect(split(cut(whole, at))).toEqual(split([whole]));
    }),
  );
});

test('no secret is in any line, wherever the writes and the limit cut it', () => {
  const secret = fc.string({ unit: fc.constantFrom(...'abcAB01+/='), minLength: 8, maxLength: 60 });
  const around = fc.oneof(
    fc.string(),
    fc.nat(2 * MAX_LOG_LINE).map((n) => 'x'.repeat(n)),
  );
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      fc.array(around, { maxLength: 6 }),
      places,
      (secrets, texts, at) => {
        const text = texts.map((t, i) => t + secrets[i % secrets.length]).join('');
        for (const line of split(cut(Buffer.from(text), at), createMasker(secrets)))
          for (const s of secrets) {
            expect(line).not.toContain(s);
            expect(line.length).toBeLessThanOrEqual(MAX_LOG_LINE);
          }
      },
    ),
    { numRuns: 200 },
  );
});

test('a line of nothing but secrets does not end in the beginning of one', () => {
  const secret = 'SECRET-0123456789-0123456789-ABCDEFGHIJ';
  const [line] = split([Buffer.from(secret.repeat(5_000))], createMasker([secret]));
  expect(line).not.toMatch(/SECRET/);
});

test('secrets in other spellings are masked: URL, JSON, base64, single lines, with colours inside', () => {
  const secret = 'p@ss "w/rd" \\ one two';
  const mask = createMasker([secret, 'first-line\nsecond-line\nxy']);
  for (const text of [
    encodeURIComponent(secret),
    JSON.stringify({ secret }),
    Buffer.from(secret).toString('base64'),
    `${secret.slice(0, 5)}\u001b[31m${secret.slice(5)}`,
    'second-line',
  ]) {
    const [line] = split([Buffer.from(text)], mask);
    expect(line).toContain('***');
    expect(line).not.toContain(text);
  }
  expect(mask('xy')).toBe('xy');
  const values = secretsOf({ GIT_TOKEN: 'tok', BUILD_ENV: { A: 'b' } });
  expect(values).toEqual(['tok', Buffer.from('x-access-token:tok').toString('base64'), 'b']);
});

test('an escape sequence that is removed cannot put a secret together again', () => {
  const [line] = split([Buffer.from('SECRET\u001b[2K-012345\u0007\n')], createMasker(['SECRET-012345']));
  expect(line).toBe('***\ufffd');
});

test('colours stay; cursor, window and text sequences and binary bytes do no harm', () => {
  expect(removeControls('\u001b[1;31mred\u001b[0m')).toBe('\u001b[1;31mred\u001b[0m');
  expect(removeControls('a\u001b[2Jb\u001b[10;10Hc\u001b]0;title\u0007d\u001b]8;;http://x\u001b\\e\u001bcf')).toBe(
    'abcdef',
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const line of split([Buffer.from(bytes)])) {
        expect(line.replace(/\u001b\[[0-9;:]*m/g, '')).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
        expect(line).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
      }
    }),
  );
});

test('of a progress line the last state counts; CR LF ends a line', () => {
  expect(split([Buffer.from('10%\r50%\r100%\r\ndone\r\n')])).toEqual(['100%', 'done']);
});

/** A bar that writes itself anew so often that all of its states are far longer than a line may be. */
const bar = (rewrite: string, last: string) =>
  `${Array.from({ length: 2_000 }, (_, i) => `${rewrite}[${'#'.repeat(i / 50)}] ${i}/2000 modules`).join('')}${rewrite}${last}`;
const DONE = 'DONE 2000 modules built';

test.each([
  ['a carriage return', '\r', DONE],
  ['several of them', '\r\r', DONE],
  ['one before an erased line', '\r\u001b[K', DONE],
  ['the first column (readline)', '\u001b[2K\u001b[1G', DONE],
  ['the first column, without a number', '\u001b[G', DONE],
  ['far to the left', '\u001b[1000D\u001b[K', DONE],
])('a progress line that rewrites itself ends with its last text, however long: %s', (_, rewrite, last) => {
  const whole = Buffer.from(`${bar(rewrite, last)}\nnext\n`);
  expect(whole.length).toBeGreaterThan(8 * MAX_LOG_LINE);
  for (const size of [1, 7, 4_096, whole.length])
    expect(
      split(Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size))),
    ).toEqual([last, 'next']);
});

test('a rewritten line that ends with CR LF, with colours, or too long', () => {
  expect(split([Buffer.from(`${bar('\r', `\u001b[32m${DONE}\u001b[0m`)}\r\n`)])).toEqual([
    `\u001b[32m${DONE}\u001b[0m`,
  ]);
  const [long] = split([Buffer.from(`${bar('\r', 'x'.repeat(100_000))}\n`)]);
  expect([long!.length, long!.slice(-16)]).toEqual([MAX_LOG_LINE, 'xxxxx … line cut']);
  expect(split([Buffer.from(`${'x'.repeat(100_000)}\r${DONE}`), Buffer.from(' again\r'), Buffer.from('\n')])).toEqual([
    `${DONE} again`,
  ]);
  expect(split([Buffer.from('  5%\b\b\b\b 10%\b\b\b\b100%\n')])).toEqual(['100%']);
});

test('returns without end cost neither memory nor much time', () => {
  const started = performance.now();
  const before = process.memoryUsage().rss;
  for (const unit of ['\r', 'a\r', '\u001b[1G', '\u001b[', '\u001b[1', '\b', '\u001b[1000D\u001b[1000']) {
    const chunk = Buffer.from(unit.repeat(64 * 1_024));
    const lines: string[] = [];
    const splitter = new LineSplitter(createMasker(['x'.repeat(40)]), (line) => lines.push(line));
    for (let i = 0; i < 64; i++) splitter.write(chunk);
    splitter.write(Buffer.from(`\r${DONE}\n`));
    expect(lines).toEqual([DONE]);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1_024 * 1_024);
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a line of 1 GB costs neither memory nor much time', () => {
  const chunk = Buffer.alloc(64 * 1_024, 'a');
  const lines: string[] = [];
  const splitter = new LineSplitter(createMasker(['x'.repeat(40)]), (line) => lines.push(line));
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 16 * 1_024; i++) splitter.write(chunk);
  splitter.write(Buffer.from('\nnext\n'));
  expect(lines.map((line) => line.length)).toEqual([MAX_LOG_LINE, 4]);
  expect(lines[0]).toMatch(/a … line cut$/);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_024 * 1_024);
});
