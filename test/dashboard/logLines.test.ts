import type { LogLine } from '../../contract/events.ts';
import { findLines, formatLog, lineOfFragment } from '../../dashboard/pages/deployment/logLines.ts';

const line = (seq: number, text: string, target: LogLine['target'] = 'frontend'): LogLine => ({
  ...{ seq, target, stream: 'stdout', line: text },
  at: '2026-11-28T20:00:00.000Z',
});

it('finds lines whatever their case and colours', () => {
  const lines = [line(1, 'An \u001b[31mEr\u001b[0mror'), line(2, 'fine'), line(3, 'error again')];
  expect(findLines(lines, ' ERROR ')).toEqual([0, 2]);
  expect(findLines(lines, ' ')).toEqual([]);
  expect(findLines(lines, '[31m')).toEqual([]);
});

it('saves a log as plain text, and names the parts where there are two', () => {
  expect(formatLog([line(1, '\u001b[1mbold\u001b[0m')])).toBe('2026-11-28T20:00:00.000Z bold\n');
  expect(formatLog([line(1, 'a'), line(2, 'b', 'backend')])).toBe(
    '2026-11-28T20:00:00.000Z frontend: a\n2026-11-28T20:00:00.000Z backend: b\n',
  );
});

it.each([
  ['#L12', 12],
  ['#L0', null],
  ['#L', null],
  ['#L1x', null],
  ['', null],
])('reads the fragment %s', (fragment, seq) => expect(lineOfFragment(fragment)).toBe(seq));
