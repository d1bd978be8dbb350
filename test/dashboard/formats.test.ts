import { PROJECT_ID } from '../../contract/api.ts';
import { suggestName } from '../../dashboard/pages/deploy/suggestName.ts';
import { formatAge, formatBytes, formatDuration } from '../../dashboard/ui/formats.ts';

it.each([
  [-5, '0.0 s'],
  [1_240, '1.2 s'],
  [59_960, '1 min 00 s'],
  [125_000, '2 min 05 s'],
  [3_720_000, '1 h 02 min'],
])('%d ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [262_616, '263 kB'],
  [999_600, '1.0 MB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it('says how long ago something was', () => {
  const now = Date.UTC(2026, 10, 28);
  const ago = (seconds: number) => formatAge(new Date(now - seconds * 1_000).toISOString(), now);
  expect([2, 40, 90, 7_200, 86_400, 5e6].map(ago)).toEqual([
    'now',
    '40 seconds ago',
    '1 minute ago',
    '2 hours ago',
    'yesterday',
    'last month',
  ]);
});

it.each([
  ['https://github.com/You/My_Site.git', 'my-site'],
  ['git@github.com:you/shop.git/', 'shop'],
  ['file:///home/you/Ein%20Ordner', 'ein-20ordner'],
  ['', ''],
  ['https://example.com/---', ''],
])('suggests for %s the name %s', (url, name) => {
  expect(suggestName(url)).toBe(name);
  if (name) expect(name).toMatch(PROJECT_ID);
});
