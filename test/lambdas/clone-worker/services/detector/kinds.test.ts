import { join } from 'node:path';
import { detectCase, failedChecks, readKinds } from './kinds.ts';

const FIXTURES = join(__dirname, '../../../../fixtures/detection');

describe.each(['kinds.json', 'siblings.json'])('%s', (file) => {
  describe.each(Object.entries(readKinds(join(FIXTURES, file))))('kind %s', (_kind, cases) => {
    test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
      expect(failedChecks(await detectCase(one), one.checks)).toEqual([]);
    });
  });
});

test('the files hold at least 600 trees, each with a name of its own', () => {
  const files = ['kinds.json', 'siblings.json'].map((file) => readKinds(join(FIXTURES, file)));
  const ids = files.flatMap((kinds) => Object.values(kinds).flat()).map(({ id }) => id);
  expect(ids.length).toBeGreaterThanOrEqual(600);
  expect(new Set(ids).size).toBe(ids.length);
});
