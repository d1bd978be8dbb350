import { readTraffic } from '../../../builder-images/shared/traffic.ts';

const table = (...lines: string[]) =>
  [
    'Inter-|   Receive                |  Transmit',
    ' face |bytes packets errs drop fifo frame compressed multicast|bytes',
    ...lines,
  ].join('\n');

test('the bytes of all interfaces but loopback', () => {
  const text = table(
    '    lo: 900 1 0 0 0 0 0 0 900 1 0 0 0 0 0 0',
    '  eth0: 1000 10 0 0 0 0 0 0 70 5 0 0 0 0 0 0',
    'eth1:2 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0',
    '',
  );
  expect(readTraffic(() => text)).toEqual({ received: 1_002, sent: 73 });
});

test('what cannot be read is not told', () => {
  expect(readTraffic(() => table('eth0: many'))).toBeUndefined();
  expect(
    readTraffic(() => {
      throw new Error('ENOENT');
    }),
  ).toBeUndefined();
});
