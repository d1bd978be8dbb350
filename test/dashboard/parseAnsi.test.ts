import { parseAnsi, stripAnsi } from '../../dashboard/pages/deployment/parseAnsi.ts';

const ESC = '\u001b';

describe('a log line as spans', () => {
  it.each([
    ['plain', 'plain', [{ text: 'plain' }]],
    ['nothing', '', []],
    ['a colour and its end', `${ESC}[31mred${ESC}[39m rest`, [{ text: 'red', color: 1 }, { text: ' rest' }]],
    ['bright', `${ESC}[92mok`, [{ text: 'ok', color: 10 }]],
    ['several at once', `${ESC}[1;4;33mx`, [{ text: 'x', bold: true, underline: true, color: 3 }]],
    ['an empty parameter is a reset', `${ESC}[1mx${ESC}[my`, [{ text: 'x', bold: true }, { text: 'y' }]],
    ['weights end together', `${ESC}[1;2mx${ESC}[22my`, [{ text: 'x', bold: true, dim: true }, { text: 'y' }]],
    ['ground and inverse', `${ESC}[41;7mx${ESC}[27;49my`, [{ text: 'x', ground: 1, inverse: true }, { text: 'y' }]],
    ['of 256: the palette', `${ESC}[38;5;12mx`, [{ text: 'x', color: 12 }]],
    ['of 256: the cube', `${ESC}[38;5;208mx`, [{ text: 'x', color: '#ff8700' }]],
    ['true colour, also with colons', `${ESC}[38:2:200:220:255mx`, [{ text: 'x', color: '#c8dcff' }]],
    [
      'the look after a colour of many numbers',
      `${ESC}[38;2;200;220;255;1mx`,
      [{ text: 'x', color: '#c8dcff', bold: true }],
    ],
    ['numbers out of range are left out', `${ESC}[38;5;999;1mx`, [{ text: 'x', bold: true }]],
    ['unknown numbers change nothing', `${ESC}[73;31mx`, [{ text: 'x', color: 1 }]],
    ['one span where nothing changes', `a${ESC}[39mb${ESC}[2Kc`, [{ text: 'abc' }]],
  ])('%s', (_name, line, spans) => expect(parseAnsi(line)).toEqual(spans));

  it('makes colours readable on the dark ground', () => {
    const [span] = parseAnsi(`${ESC}[38;2;10;10;60mx`);
    const parts = [1, 3, 5].map((at) => Number.parseInt(String(span!.color).slice(at, at + 2), 16));
    expect(Math.min(...parts)).toBeGreaterThan(90);
    expect(parts[2]).toBeGreaterThan(parts[0]!);
  });

  it.each([
    ['a window title', `a${ESC}]0;title\u0007b`],
    ['a title that does not end', `ab${ESC}]0;title`],
    ['a link', `${ESC}]8;;https://evil.example${ESC}\\ab${ESC}]8;;${ESC}\\`],
    ['moves of the cursor', `${ESC}[2J${ESC}[1;1Ha${ESC}[1Ab`],
    ['questions', `a${ESC}[6nb${ESC}[c`],
    ['C1 forms', 'a\u009b31mb\u009d0;t\u009c'.replace('\u009b31m', '\u009b2K')],
    ['control characters', 'a\u0000\u0007\rb\u007f'],
    ['reordered text', 'a\u202eb\u2066'],
    ['an SGR that is none', `a${ESC}[?31mb`],
  ])('removes %s', (_name, line) => {
    expect(parseAnsi(line)).toEqual([{ text: 'ab' }]);
    expect(stripAnsi(line)).toBe('ab');
  });

  it('takes no time for hostile lines', () => {
    const line = `${ESC}[${'1;'.repeat(4_000)}m${ESC}]`.repeat(20) + '\u001b['.repeat(4_000);
    const from = performance.now();
    parseAnsi(line);
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});
