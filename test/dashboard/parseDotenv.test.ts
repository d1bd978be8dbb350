import { parseDotenv } from '../../dashboard/pages/variables/parseDotenv.ts';

test('what .env files hold', () => {
  const text = [
    '# a comment',
    'PLAIN=a value # and why',
    'export URL=https://x.example/#top',
    '  SPACED = b ',
    'EMPTY=',
    "SINGLE='a # \\n $HOME'",
    'DOUBLE="two\\nlines and a \\"quote\\""',
    'HASH="a#b"',
    '',
  ].join('\r\n');
  expect(parseDotenv(text)).toEqual({
    env: {
      PLAIN: 'a value',
      URL: 'https://x.example/#top',
      SPACED: 'b',
      EMPTY: '',
      SINGLE: 'a # \\n $HOME',
      DOUBLE: 'two\nlines and a "quote"',
      HASH: 'a#b',
    },
    faults: [],
  });
});

test('what is none of it is told by its line, and no prototype is reached', () => {
  const { env, faults } = parseDotenv('A=1\nnonsense\n1B=2\nA=3\nC="open\n__proto__=x');
  expect(faults.map(({ line, text }) => `${line} ${text}`)).toEqual([
    '2 is not NAME=value',
    '3 is not NAME=value',
    '4 A is there twice',
    '5 the quote of C has no end on this line',
  ]);
  expect(Object.keys(env)).toEqual(['A', '__proto__']);
});
