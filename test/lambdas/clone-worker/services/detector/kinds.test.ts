import { join } from 'node:path';
import { detectCase, failedChecks, readKinds } from './kinds.ts';

const kinds = readKinds(join(__dirname, '../../../../fixtures/detection/kinds.json'));

describe.each(Object.entries(kinds))('kind %s', (_kind, cases) => {
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    expect(failedChecks(await detectCase(one), one.checks)).toEqual([]);
  });
});
