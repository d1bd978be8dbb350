import { LambdaClient } from '@aws-sdk/client-lambda';
import { WAKEABLE_FUNCTIONS, type WakeableFunction } from '../../contract/names.ts';
import { createLambdaWaker } from '../../lambdas/shared/adapters/aws/functionWaker.ts';
import type { FunctionWaker } from '../../lambdas/shared/ports.ts';
import { memoryWaker } from '../../local/adapters/memory/functionWaker.ts';
import { httpDouble } from '../support/httpDouble.ts';

interface Opened {
  readonly waker: FunctionWaker;
  /** Runs of the function until now. */
  runs(name: WakeableFunction): number;
  /** From now on no ring gets through, or its run fails. */
  breakDown(): void;
  readonly errors: unknown[];
  close(): Promise<void>;
}

const adapters: Record<string, () => Promise<Opened>> = {
  async memory() {
    const errors: unknown[] = [];
    const counts = new Map<WakeableFunction, number>();
    let broken = false;
    const waker = memoryWaker((e) => errors.push(e));
    for (const name of WAKEABLE_FUNCTIONS) {
      waker.on(name, async () => {
        if (broken) throw new Error('broken');
        counts.set(name, (counts.get(name) ?? 0) + 1);
      });
    }
    return {
      waker,
      errors,
      runs: (name) => counts.get(name) ?? 0,
      breakDown: () => {
        broken = true;
      },
      close: () => waker.close(),
    };
  },

  async Lambda() {
    const errors: unknown[] = [];
    let status = 202;
    const endpoint = await httpDouble(() => ({ status, body: '{}' }));
    const lambda = new LambdaClient({
      endpoint: endpoint.url,
      region: 'ap-south-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 's' },
      maxAttempts: 2,
    });
    const functions = {
      ...{ 'clone-worker': 'veren-clone', 'build-worker': 'veren-build' },
      ...{ releaser: 'veren-release', 'git-worker': 'veren-git' },
    };
    return {
      waker: createLambdaWaker(lambda, { functions, onError: (e) => errors.push(e) }),
      errors,
      runs: (name) =>
        endpoint.requests.filter(
          (r) =>
            r.method === 'POST' &&
            r.url === `/2015-03-31/functions/${functions[name]}/invocations` &&
            r.headers['x-amz-invocation-type'] === 'Event',
        ).length,
      breakDown: () => {
        status = 500;
      },
      async close() {
        lambda.destroy();
        await endpoint.close();
      },
    };
  },
};

async function until(what: () => boolean) {
  const end = Date.now() + 5_000;
  while (!what()) {
    if (Date.now() > end) throw new Error('It did not come to pass.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.each(Object.entries(adapters))('Waker on %s', (_, open) => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test('a ring wakes its function and no other', async () => {
    await opened.waker.wake('build-worker');
    await until(() => opened.runs('build-worker') === 1);
    expect(opened.runs('clone-worker')).toBe(0);
    await opened.waker.wake('clone-worker');
    await until(() => opened.runs('clone-worker') === 1);
    expect(opened.runs('build-worker')).toBe(1);
  });

  test('rings may be answered together, and a ring after a run is answered', async () => {
    await Promise.all(Array.from({ length: 5 }, () => opened.waker.wake('build-worker')));
    await until(() => opened.runs('build-worker') >= 1);
    const runs = opened.runs('build-worker');
    expect(runs).toBeLessThanOrEqual(5);
    await opened.waker.wake('build-worker');
    await until(() => opened.runs('build-worker') === runs + 1);
  });

  test('a ring never fails; that it did not get through is told to the operator', async () => {
    opened.breakDown();
    await expect(opened.waker.wake('build-worker')).resolves.toBeUndefined();
    await until(() => opened.errors.length === 1);
  });
});

test('memory: runs of a name overlap as far as they may, so that one that hangs holds up no other', async () => {
  const waker = memoryWaker(() => {});
  let [going, most, runs] = [0, 0, 0];
  const ends: (() => void)[] = [];
  waker.on(
    'clone-worker',
    async () => {
      runs += 1;
      most = Math.max(most, ++going);
      await new Promise<void>((end) => ends.push(end));
      going -= 1;
    },
    { atOnce: 2 },
  );
  for (let i = 1; i <= 4; i++) {
    await waker.wake('clone-worker');
    await until(() => runs === Math.min(i, 2));
  }
  // Two rings that found no place lead to one run.
  ends[0]?.();
  await until(() => runs === 3);
  ends[1]?.();
  ends[2]?.();
  await until(() => going === 0);
  expect({ most, runs }).toEqual({ most: 2, runs: 3 });
  await waker.close();
});
