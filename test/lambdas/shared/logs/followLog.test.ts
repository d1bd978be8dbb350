import { type FollowDeps, followLog } from '../../../../lambdas/shared/logs/followLog.ts';

test('a record that changes without a later time is shown: an event was late, or a clock was set back', async () => {
  const statuses = ['queued', 'analyzing', 'building', 'succeeded'];
  const updatedAt = '2026-01-01T00:00:00.000Z';
  let reads = 0;
  const deps = {
    clock: { now: Date.now },
    store: {
      get: async () => ({
        record: { deploymentId: 'd', updatedAt, status: statuses[Math.min(reads++, 3)], builds: {} },
        facts: { attempts: {} },
      }),
    },
    logs: {
      // A ring without lines says that the record may have changed.
      async *follow() {
        for (const _ of statuses) yield [];
      },
      read: async () => [],
      count: async () => 0,
    },
    archive: { readLog: async () => null },
  } as unknown as FollowDeps;
  const seen: string[] = [];
  for await (const told of followLog(deps, 'd', { after: 0, signal: new AbortController().signal }))
    seen.push(told.kind === 'record' ? told.record.status : told.kind);
  expect(seen).toEqual([...statuses, 'end']);
});
