import { setTimeout as sleep } from 'node:timers/promises';
import { createMasker } from '../../../builder-images/shared/masker.ts';
import type { Batch, EventTransport } from '../../../builder-images/shared/outbox.ts';
import { Reporter } from '../../../builder-images/shared/reporter.ts';
import { DeploymentEventSchema, type LogBatch, LogBatchSchema } from '../../../contract/events.ts';

/** A broker whose availability the test decides. Keeps what it took, in order. */
class Broker implements EventTransport {
  readonly taken: string[] = [];
  readonly lines: { n: number; line: string }[] = [];
  away = false;
  /** Takes a batch and loses the answer. */
  forgetAnswers = 0;
  closed = false;

  async send(batch: Batch): Promise<void> {
    await sleep(1);
    // Kafka's default limit of a batch, which all messages of a topic in one request are.
    expect(Buffer.byteLength([...batch.events, ...batch.logs].join(''))).toBeLessThan(1_000_000);
    if (this.away) throw new Error('away');
    for (const text of batch.events) this.taken.push(DeploymentEventSchema.parse(JSON.parse(text)).id);
    for (const text of batch.logs) this.#keep(LogBatchSchema.parse(JSON.parse(text)));
    if (this.forgetAnswers-- > 0) throw new Error('connection closed');
  }
  #keep(batch: LogBatch) {
    for (const [i, line] of batch.lines.entries()) this.lines.push({ n: batch.first + i, line: line.line });
  }
  async close() {
    this.closed = true;
  }
}

const artifact = { kind: 'static' as const, bucket: 'b', prefix: 'p/', files: 1, bytes: 1 };
function reporter(broker: Broker, more: Partial<ConstructorParameters<typeof Reporter>[0]> = {}) {
  return new Reporter({
    identity: { deploymentId: 'd', projectId: 'p', target: 'frontend', attempt: 2 },
    transport: broker,
    mask: createMasker(['secret-value']),
    now: Date.now,
    ...more,
    limits: { startMs: 0, lingerMs: 1, retryMs: [5], ...more.limits },
  });
}
/** By number, repeats dropped: what a reader of the log makes of it. */
const readable = (broker: Broker) => [...new Map(broker.lines.map(({ n, line }) => [n, line])).entries()];

test('everything arrives in order, numbered without gaps, the result last; repeats are recognisable', async () => {
  const broker = new Broker();
  const r = reporter(broker, { limits: { batchLines: 7 } });
  broker.forgetAnswers = 3;
  r.phaseStarted('install');
  for (let i = 0; i < 100; i++) r.presented('stdout', `line ${i}`);
  r.say('with secret-value in it');
  r.phaseFinished('install', true);
  expect(await r.succeeded(artifact, 5_000)).toBe(true);
  await r.close();
  expect([...new Set(broker.taken)]).toEqual([
    'd-frontend-2-install-started',
    'd-frontend-2-install-finished',
    'd-frontend-2-ended',
  ]);
  expect(broker.taken.length).toBeGreaterThan(3);
  const lines = readable(broker);
  expect(lines.map(([n]) => n)).toEqual(Array.from({ length: 101 }, (_, i) => i));
  expect(lines.slice(0, 100).map(([, line]) => line)).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  expect(lines[100]![1]).toBe('with *** in it');
  expect(broker.closed).toBe(true);
});

test('a broker that is away for long costs lines, and a line says how many; events wait', async () => {
  const broker = new Broker();
  broker.away = true;
  const r = reporter(broker, { limits: { bufferLines: 50, patienceMs: 20 } });
  r.phaseStarted('build');
  r.presented('stdout', 'first');
  await sleep(60);
  for (let i = 0; i < 200; i++) {
    r.presented('stdout', `line ${i}`);
    await r.room(); // does not hold the build up
  }
  broker.away = false;
  expect(await r.succeeded(artifact, 5_000)).toBe(true);
  const lines = readable(broker);
  expect(lines.map(([n]) => n)).toEqual(lines.map((_, i) => i));
  expect(lines.at(-1)![1]).toMatch(/^150 lines were dropped here/);
  expect(lines).toHaveLength(52);
  expect([...new Set(broker.taken)]).toEqual(['d-frontend-2-build-started', 'd-frontend-2-ended']);
  await r.close();
});

test('while the broker is merely slow, the source waits and nothing is dropped', async () => {
  const broker = new Broker();
  const r = reporter(broker, { limits: { bufferLines: 10, patienceMs: 5_000, batchLines: 10 } });
  for (let i = 0; i < 300; i++) {
    r.presented('stdout', `${i}`);
    await r.room();
  }
  expect(await r.failed({ code: 'BUILD_FAILED', message: 'x' }, 5_000)).toBe(true);
  expect(readable(broker)).toHaveLength(300);
  await r.close();
});

test('a flood of long lines full of escapes stays below the broker’s limit', async () => {
  const broker = new Broker();
  const r = reporter(broker);
  for (let i = 0; i < 2_000; i++) {
    r.presented('stdout', '\u001b[0m€"'.repeat(1_365));
    await r.room();
  }
  expect(await r.succeeded(artifact, 20_000)).toBe(true);
  expect(readable(broker)).toHaveLength(2_000);
  await r.close();
});

test('lines wait for company; an event in the meantime takes them along at once', async () => {
  const broker = new Broker();
  const r = reporter(broker, { limits: { lingerMs: 60_000 } });
  r.say('Live');
  await sleep(20);
  expect(readable(broker)).toEqual([]);
  expect(await r.succeeded(artifact, 2_000)).toBe(true);
  expect(readable(broker)).toEqual([[0, 'Live']]);
  await r.close();
});

test('a broker that never comes: the end is told in bounded time', async () => {
  const broker = new Broker();
  broker.away = true;
  const r = reporter(broker);
  const started = Date.now();
  expect(await r.succeeded(artifact, 200)).toBe(false);
  await r.close();
  expect(Date.now() - started).toBeLessThan(15_000);
});

test('the log ends at its limit, the last lines of a failure are still known', async () => {
  const broker = new Broker();
  const r = reporter(broker, { maxLogLines: 10 });
  r.phaseStarted('build');
  for (let i = 0; i < 500; i++) r.presented('stdout', `${i}`);
  expect(r.lastLines.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => `${480 + i}`));
  expect(r.lastLines.length).toBeLessThanOrEqual(30);
  await r.succeeded(artifact, 5_000);
  expect(readable(broker).map(([, line]) => line)).toEqual([
    ...'0123456789'.split(''),
    'The log ends here: more than 10 lines.',
  ]);
  await r.close();
});
