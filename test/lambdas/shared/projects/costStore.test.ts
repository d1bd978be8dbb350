import fc from 'fast-check';
import { s3Keys } from '../../../../contract/names.ts';
import { emptyFacts } from '../../../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../../../lambdas/domain/reduce.ts';
import { toRecord } from '../../../../lambdas/domain/toRecord.ts';
import { openDocuments } from '../../../../lambdas/shared/documents.ts';
import { keepCost, openCostStore } from '../../../../lambdas/shared/projects/costStore.ts';
import { openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';
import { event, frontendPlan, taskUse } from '../../../support/events.ts';
import { memoryS3 } from '../../../support/memoryS3.ts';

const GIB = 1_024 ** 3;
const IDS = ['d1', 'd2', 'd3'] as const;
/** Everything that is told of three deployments; the third one's region has no prices. */
const TOLD = IDS.flatMap((id, i) => {
  const of = { target: 'frontend', attempt: 1 } as const;
  const { rates, ...unpriced } = taskUse({ seconds: 600 * (i + 1) });
  const artifact = { kind: 'static', bucket: 'b', prefix: 'p/', files: 3, bytes: GIB } as const;
  return [
    event(1, { type: 'deployment.analyzed', plan: frontendPlan() }, id),
    event(5, { ...of, type: 'build.failed', error: { code: 'PUBLISH_FAILED', message: 'x' } }, id),
    event(6, { ...of, type: 'build.retrying', error: { code: 'PUBLISH_FAILED', message: 'x' } }, id),
    event(7, { ...of, type: 'build.used', use: i === 2 ? unpriced : { ...unpriced, rates: rates! } }, id),
    event(
      20,
      { ...of, attempt: 2, type: 'build.succeeded', artifact, logLines: 1, traffic: { received: GIB, sent: 0 } },
      id,
    ),
    event(30, { ...of, attempt: 2, type: 'build.used', use: taskUse() }, id),
  ];
});

/** As the event-projector does it; what one function writes may be long after it has read, and after what others write. */
async function sumAfter(events: typeof TOLD, atOnce: number, pauses: readonly number[] = []) {
  const { store } = await openMemoryPlatform({ clock: { now: Date.now } });
  for (const id of IDS) {
    const asked = { owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null };
    const requested = event(0, { type: 'deployment.requested', ...asked }, id);
    await store.create({ requested: requested as never, request: { projectId: 'p1', gitUrl: asked.gitUrl } });
  }
  const costs = openCostStore(openDocuments(memoryS3(), 'b'));
  let writes = 0;
  const note: typeof costs.note = async (record) => {
    for (let left = pauses[writes++] ?? 0; left > 0; left--) await new Promise(setImmediate);
    return costs.note(record);
  };
  for (let i = 0; i < events.length; i += atOnce)
    await Promise.all(
      events.slice(i, i + atOnce).map(async (e) => {
        const folded = await store.fold(e.deploymentId, [e]);
        await keepCost({ store, costs: { note } }, folded!.after);
      }),
    );
  const records = await Promise.all(IDS.map(async (id) => (await store.get(id))!.record));
  return { sum: await costs.sum('p1', '2026-01'), records };
}

test('the sum of a month is that of its records, in any order, however often something is told, and by many at once', async () => {
  const { sum: expected } = await sumAfter(TOLD, 1);
  expect(expected).toMatchObject({ deployments: 3, unpriced: 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(TOLD, { minLength: TOLD.length }),
      fc.subarray(TOLD),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 }),
      async (shuffled, again, atOnce, pauses) => {
        const { sum, records } = await sumAfter([...shuffled, ...again], atOnce, pauses);
        expect(sum).toEqual(expected);
        expect(sum.microUsd).toBe(records.reduce((total, { cost }) => total + (cost?.microUsd ?? 0), 0));
      },
    ),
    { numRuns: 60 },
  );
});

test('a function that writes late, with the record of before, looks again and leaves what is so now', async () => {
  const costs = openCostStore(openDocuments(memoryS3(), 'b'));
  const recordOf = (seconds: number) => {
    const facts = [
      event(0, { type: 'deployment.requested', owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null }),
      event(9, { type: 'build.used', target: 'frontend', attempt: 1, use: taskUse({ seconds }) }),
    ].reduce(reduceEvent, emptyFacts);
    return { facts, record: toRecord(facts)!, request: null };
  };
  const [before, now] = [recordOf(60), recordOf(120)];
  const store = { get: async () => now };
  await keepCost({ store, costs }, now.record);
  await keepCost({ store, costs }, before.record);
  expect((await costs.sum('p1', '2026-01')).microUsd).toBe(now.record.cost?.microUsd);
});

test('a document that cannot be read is an error, and not a sum of nothing', async () => {
  const s3 = memoryS3();
  s3.objects.set(s3Keys.costsOf('p1', '2026-01'), '{"v":2}');
  await expect(openCostStore(openDocuments(s3, 'b')).sum('p1', '2026-01')).rejects.toThrow();
});
