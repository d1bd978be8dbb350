import fc from 'fast-check';
import { terminalText } from '../../../cli/client/terminalText.ts';

const ESC = '\u001b';

it.each([
  ['plain text, tabs and other scripts', 'a\tb é 漢 🚀', 'a\tb é 漢 🚀'],
  ['colours, closed at the end', `${ESC}[31mred`, `${ESC}[31mred${ESC}[0m`],
  ['an 8-bit colour as a 7-bit one', '\u009b1;38:5:9mx', `${ESC}[1;38:5:9mx${ESC}[0m`],
  ['no cursor moves and erasures', `${ESC}[2J${ESC}[Hx${ESC}[10;5Hy${ESC}[1A`, 'xy'],
  ['no window titles', `${ESC}]0;owned\u0007x`, 'x'],
  ['no clipboard writes, however ended', `${ESC}]52;c;ZXZpbA==${ESC}\\x`, 'x'],
  ['no hyperlinks, but their text', `${ESC}]8;;http://evil${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
  ['no device strings', `${ESC}P+q544e${ESC}\\x\u0090y\u009c`, 'x'],
  ['no questions that the terminal answers on stdin', `${ESC}[6n${ESC}[cx`, 'x'],
  ['no private forms of m', `${ESC}[?4mx${ESC}[>4;2mx`, 'xx'],
  ['no reset of the terminal, no character sets', `${ESC}cx${ESC}(0y`, 'xy'],
  ['no sequence put together from the rest of another', `${ESC}${ESC}[2J[31mx`, '[31mx'],
  ['no line ends and bells', 'a\r\nb\u0007\b', 'ab'],
  ['no reordering', 'a\u202eb\u2066', 'ab'],
])('keeps or drops: %s', (_, hostile, shown) => {
  expect(terminalText(hostile, true)).toBe(shown);
});

it('lets nothing but text and colours through, whatever it is given', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(ESC, '[', ']', '\u009b', '\u009d', '\u0007', '\\', 'm', '31', ';', 'P', '?', ' ', '2J', '\u009c'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const hostile = pieces.join('');
      const colored = terminalText(hostile, true);
      expect(colored.replace(/\u001b\[[0-9;:]*m/g, '')).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      expect(terminalText(hostile, false)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 2_000 },
  );
});

it('changes no text that is harmless', () => {
  fc.assert(fc.property(fc.stringMatching(/^[ -~äß漢]*$/), (text) => expect(terminalText(text, true)).toBe(text)));
});
