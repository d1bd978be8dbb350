import { LambdaClient } from '@aws-sdk/client-lambda';
import { drainWithinTime } from '../../../../../lambdas/shared/adapters/aws/drain.ts';

/** A client that answers each invoke with 202 and keeps its request; anything else throws. */
function lambdaClient(invoked: string[]) {
  return new LambdaClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      async handle(request: { method: string; path: string; headers: Record<string, string> }) {
        expect(request.method).toBe('POST');
        expect(request.headers['x-amz-invocation-type']).toBe('Event');
        invoked.push(request.path);
        return { response: { statusCode: 202, headers: {}, body: undefined } };
      },
    } as never,
  });
}

async function drained(jobs: number, secondsEach: number, secondsInAll: number) {
  const invoked: string[] = [];
  let left = jobs;
  let remaining = secondsInAll * 1_000;
  const context = { getRemainingTimeInMillis: () => remaining, functionName: 'veren-dev-build-worker' };
  const onError = (e: unknown) => {
    throw e;
  };
  await drainWithinTime({ lambda: lambdaClient(invoked), onError }, context, 120_000, async (mayTakeMore) => {
    while (mayTakeMore()) {
      if (left === 0) return true;
      left -= 1;
      remaining -= secondsEach * 1_000;
    }
    return false;
  });
  return { left, invoked };
}

test('a queue that is drained in time wakes nobody', async () => {
  expect(await drained(3, 10, 300)).toEqual({ left: 0, invoked: [] });
});

test('no job is taken that could be cut off, and a successor goes on with the rest', async () => {
  expect(await drained(10, 60, 300)).toEqual({
    left: 7,
    invoked: ['/2015-03-31/functions/veren-dev-build-worker/invocations'],
  });
});

test('where there is no time for a single job no successor is woken: it would wake the next, for ever', async () => {
  expect(await drained(10, 60, 120)).toEqual({ left: 10, invoked: [] });
});
