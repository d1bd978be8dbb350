import type { S3Client } from '@aws-sdk/client-s3';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { measuredStore } from '../../../lambdas/event-projector/measuredStore.ts';
import { parkInBucket } from '../../../lambdas/event-projector/park.ts';
import type { DeploymentStore } from '../../../lambdas/shared/ports.ts';

const record = (status: string, code?: string) =>
  ({ status, builds: { frontend: code ? { error: { code } } : {} } }) as unknown as DeploymentRecord;

/** What is counted when a fold takes a record from one state to another. */
async function counted(before: DeploymentRecord | null, after: DeploymentRecord) {
  const found: object[] = [];
  const store = { fold: async () => ({ before, after }) } as unknown as DeploymentStore;
  await measuredStore(store, (values) => found.push(values)).fold('d', []);
  return found;
}

test.each([
  ['succeeded', undefined, [{ DeploymentsSucceeded: 1 }]],
  ['failed', 'BUILD_FAILED', [{ DeploymentsFailedByUser: 1 }]],
  ['failed', 'TASK_LOST', [{ DeploymentsFailedByPlatform: 1 }]],
  ['canceled', undefined, []],
])('%s (%s)', async (status, code, values) => {
  expect(await counted(record('building'), record(status, code))).toEqual(values);
});

test('an end is counted once: delivery is at least once', async () => {
  expect(await counted(record('failed', 'TASK_LOST'), record('failed', 'TASK_LOST'))).toEqual([]);
});

test('what could not be read is kept where an operator finds it', async () => {
  const put: { Key?: string; Body?: unknown }[] = [];
  const s3 = { send: async ({ input }: { input: object }) => put.push(input) } as unknown as S3Client;
  const poison = { topic: 'build-logs', partition: 2, offset: 7, value: '{', reason: 'not JSON' };
  await parkInBucket(s3, 'b', () => undefined)(poison);
  expect(put[0]?.Key).toMatch(/^__parked\/build-logs\/2\/7-[0-9a-f]{16}\.json$/);
  expect(JSON.parse(String(put[0]?.Body))).toEqual(poison);
});
