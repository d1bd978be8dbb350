import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/freePort.ts';
import { useWorld } from './bundle.ts';
import { repository, type World } from './harness.ts';

/** A broker that is away at the start, dies in the middle, or never comes: the artifact is published all the same. */
const world = useWorld();
const source = (name: string) => ({
  projectId: name,
  ...repository(join(world().dir, 'repos', name), { 'index.html': name }),
});
const BUILDCOMMAND = 'for i in $(seq 40); do echo line $i; sleep 0.05; done';

/** What a reader makes of it: repeats dropped by number, nothing missing. */
function expectWhole(told: ReturnType<World['told']>) {
  const lines = new Map(told.lines.map((line) => [line.n, line.line]));
  expect([...lines.keys()].sort((a, b) => a - b)).toEqual([...lines.keys()].map((_, i) => i));
  const own = [...lines.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, line]) => line)
    .filter((line) => /^line /.test(line));
  expect(own).toEqual(Array.from({ length: 40 }, (_, i) => `line ${i + 1}`));
  expect(told.last).toMatchObject({ type: 'build.succeeded', logLines: lines.size });
  expect(new Set(told.events.map((event) => event.id)).size).toBe(9);
}

test('away at the start', async () => {
  const port = await freePort();
  const building = world().build(source('start'), { BUILDCOMMAND, KAFKA_BROKERS: `127.0.0.1:${port}` });
  await sleep(1_000);
  await world().startBroker(undefined, port);
  const built = await building;
  expect(built.code).toBe(0);
  expectWhole(world().told(built.id));
}, 40_000);

test('breaking down again and again, before and after it has taken a message', async () => {
  const kinds = [undefined, 'drop', 'drop-after', 'retriable'] as const;
  let n = 0;
  const previous = world().broker;
  await world().startBroker((api) => (api === 'Produce' ? kinds[n++ % kinds.length] : undefined));
  const broker = world().broker;
  world().broker = previous;
  const built = await world().build(source('middle'), { BUILDCOMMAND, KAFKA_BROKERS: broker, VEREN_REPORT_WAIT: '20' });
  expect(built.code).toBe(0);
  expect(n).toBeGreaterThan(4);
  expectWhole(world().told(built.id));
}, 60_000);

test('never there', async () => {
  const port = await freePort();
  const built = await world().build(source('never'), { KAFKA_BROKERS: `127.0.0.1:${port}`, VEREN_REPORT_WAIT: '1' });
  expect(built.code).toBe(0);
  expect(built.output).toMatch(/The broker did not take the result, which the exit code tells instead/);
  expect((await world().page('never', 'index.html')).text).toBe('never');
});
