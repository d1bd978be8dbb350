import { VerenError } from '../../../contract/errors.ts';
import { jsonLog } from '../../../lambdas/shared/logger.ts';
import { embeddedMetrics } from '../../../lambdas/shared/metrics.ts';
import { lazyAsync } from '../../../lambdas/shared/once.ts';

test('metrics are one line of the embedded metric format', () => {
  const lines: string[] = [];
  const measure = embeddedMetrics('dev', { now: () => 1_000 }, (line) => lines.push(line));
  measure({ ActiveBuilds: 2, StuckBuilds: 0 });
  measure({});
  expect(lines.map((l) => JSON.parse(l))).toEqual([
    {
      _aws: {
        Timestamp: 1_000,
        CloudWatchMetrics: [
          { Namespace: 'Veren', Dimensions: [['Stage']], Metrics: [{ Name: 'ActiveBuilds' }, { Name: 'StuckBuilds' }] },
        ],
      },
      Stage: 'dev',
      ActiveBuilds: 2,
      StuckBuilds: 0,
    },
  ]);
});

test('a log line holds the error, its code and its causes', () => {
  const lines: string[] = [];
  const cause = new TypeError('why');
  jsonLog('api', (l) => lines.push(l)).error('It failed', {
    error: new VerenError('UNAVAILABLE', { reason: 'r' }, { cause }),
  });
  const line = JSON.parse(lines[0] as string);
  expect(line).toMatchObject({ function: 'api', level: 'ERROR', message: 'It failed' });
  expect(line.error).toMatchObject({ code: 'UNAVAILABLE', cause: { name: 'TypeError', message: 'why' } });
});

test('what failed to open is opened again, what is open is kept', async () => {
  let calls = 0;
  const open = lazyAsync(async () => {
    if (++calls === 1) throw new Error('away');
    return calls;
  });
  await expect(open()).rejects.toThrow('away');
  expect(await Promise.all([open(), open()])).toEqual([2, 2]);
});
