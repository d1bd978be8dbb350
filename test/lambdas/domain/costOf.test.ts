import { emptyFacts } from '../../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../../lambdas/domain/reduce.ts';
import { toRecord } from '../../../lambdas/domain/toRecord.ts';
import { event, frontendPlan, taskUse } from '../../support/events.ts';

const GIB = 1_024 ** 3;
const of = { target: 'frontend', attempt: 1 } as const;
const begun = [
  event(0, { type: 'deployment.requested', owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null }),
  event(1, { type: 'deployment.analyzed', plan: frontendPlan() }),
];
const costAfter = (...events: Parameters<typeof reduceEvent>[1][]) =>
  toRecord([...begun, ...events].reduce(reduceEvent, emptyFacts))?.cost;
const used = (over = {}, second = 9) => event(second, { ...of, type: 'build.used', use: taskUse(over) });

test('an hour of a task, what it has moved and what it has published: each part in millionths of a dollar', () => {
  const succeeded = event(5, {
    ...{ ...of, type: 'build.succeeded', logLines: 1, traffic: { received: 2 * GIB, sent: GIB } },
    artifact: { kind: 'static', bucket: 'b', prefix: 'p/', files: 100, bytes: GIB / 2 },
  });
  expect(costAfter(succeeded)).toBeUndefined();
  expect(costAfter(succeeded, used())).toMatchObject({
    // 40,000 + 2 × 4,000 + 10 × 100; 3 × 45,000; 100 × 5 + 23,000 / 2
    microUsd: 49_000 + 135_000 + 12_000,
    ...{ region: 'us-east-1', pricesOf: '2026-11-28' },
    tasks: [{ ...of, seconds: 3_600, capacity: 'on demand', compute: 49_000, network: 135_000, storage: 12_000 }],
  });
});

test('an attempt that failed costs as well, and its builder has told what it moved', () => {
  const failed = event(5, {
    ...{ ...of, type: 'build.failed', logLines: 1, traffic: { received: GIB, sent: 0 } },
    error: { code: 'PUBLISH_FAILED', message: 'x' },
  });
  const second = event(20, { ...of, attempt: 2, type: 'build.used', use: taskUse({ capacity: 'spot', seconds: 60 }) });
  const cost = costAfter(failed, used(), second)!;
  expect(cost.tasks.map(({ attempt, compute, network }) => ({ attempt, compute, network }))).toEqual([
    { attempt: 1, compute: 49_000, network: 45_000 },
    { attempt: 2, compute: 667 + 133 + 17, network: undefined },
  ]);
  expect(cost.microUsd).toBe(49_000 + 45_000 + 817);
});

test('where the prices of the region are not known there is no amount, and not a wrong one', () => {
  const { rates, ...unpriced } = taskUse({ region: 'xx-north-9' });
  const cost = costAfter(event(9, { ...of, type: 'build.used', use: unpriced }));
  expect(cost).toEqual({
    region: 'xx-north-9',
    tasks: [{ ...of, seconds: 3_600, cpuUnits: 1_024, memoryMiB: 2_048, billedDiskGiB: 10, capacity: 'on demand' }],
  });
});
