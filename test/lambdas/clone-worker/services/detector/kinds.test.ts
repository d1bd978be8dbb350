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
