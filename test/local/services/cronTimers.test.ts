import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CronTimers } from '../../../local/services/cronTimers.ts';
import { eventually } from '../../support/eventually.ts';

afterEach(() => {
  jest.useRealTimers();
});

/** Its clock goes on from right before a full minute. */
function startClock(): void {
  jest.useFakeTimers({
    now: Date.UTC(2026, 10, 28, 12, 4, 59, 500),
    advanceTimers: true,
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
  });
}

test('a call comes at its minute, with the header; one that is not due, or was taken back, does not', async () => {
  const asked: Pick<IncomingMessage, 'url' | 'method' | 'headers'>[] = [];
  const server = createServer(({ url, method, headers }, answer) => {
    asked.push({ url, method, headers });
    answer.statusCode = 204;
    answer.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  startClock();
  const said: string[] = [];
  const leases = { taken: 0, released: 0 };
  const lease = async (projectId: string) => {
    if (projectId === 'nothing') return null;
    leases.taken++;
    return { host: '127.0.0.1' as const, port, timeoutMs: 5_000, release: () => void leases.released++ };
  };
  const timers = new CronTimers(lease, (projectId, line) => said.push(`${projectId}: ${line}`));
  timers.set('shop', [
    { schedule: '*/5 * * * *', path: '/tick?every=5' },
    { schedule: '6 12 * * *', path: '/later' },
  ]);
  timers.set('gone', [{ schedule: '* * * * *', path: '/gone' }]);
  timers.set('gone', []);
  timers.set('nothing', [{ schedule: '* * * * *', path: '/nothing' }]);
  await eventually(() => said.length > 0);
  // As the next start of the platform would find it: a minute that has begun is not made up for.
  timers.close();
  expect(asked.map(({ url, method }) => `${method} ${url}`)).toEqual(['GET /tick?every=5']);
  expect(asked[0]?.headers).toMatchObject({ 'x-veren-cron': '*/5 * * * *', 'user-agent': 'veren-cron' });
  expect(said).toEqual([expect.stringMatching(/^shop: Cron \*\/5 \* \* \* \* \/tick\?every=5: 204 after \d+ ms$/)]);
  expect(leases).toEqual({ taken: 1, released: 1 });
  server.close();
}, 30_000);

test('a call to a backend that is not there is said, and ends its lease', async () => {
  startClock();
  const said: string[] = [];
  let released = 0;
  const lease = async () => ({ host: '127.0.0.1' as const, port: 1, timeoutMs: 5_000, release: () => void released++ });
  const timers = new CronTimers(lease, (_, line) => said.push(line));
  timers.set('shop', [{ schedule: '5 12 * * *', path: '/tick' }]);
  await eventually(() => said.length > 0);
  timers.close();
  expect(said).toEqual([expect.stringContaining('ECONNREFUSED')]);
  expect(released).toBe(1);
}, 30_000);
