import fc from 'fast-check';
import type { LogLine } from '../../contract/events.ts';
import type { LogChannel, LogEntry } from '../../lambdas/shared/ports.ts';
import { overStorages } from './storages.ts';

const AT = '2026-01-01T00:00:00.000Z';
const entry = (n: number, of: Partial<LogEntry> = {}): LogEntry => ({
  at: AT,
  target: 'frontend',
  stream: 'stdout',
  line: `line ${n}`,
  attempt: 1,
  n,
  ...of,
});
const entries = (from: number, to: number, of: Partial<LogEntry> = {}) =>
  Array.from({ length: to - from }, (_, i) => entry(from + i, of));
const texts = (lines: readonly LogLine[]) => lines.map((l) => l.line);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

overStorages('LogChannel', (open) => {
  let logs: LogChannel;
  const stop = new Set<AbortController>();
  beforeEach(async () => {
    ({ logs } = await open());
  });
  afterEach(() => {
    for (const s of stop) s.abort();
    stop.clear();
  });

  /** Collects what a follower gets until it is stopped. */
  function follower(id: string, after = 0, onPage: (lines: LogLine[]) => Promise<void> = async () => {}) {
    const abort = new AbortController();
    stop.add(abort);
    const lines: LogLine[] = [];
    const pages: number[] = [];
    const done = (async () => {
      for await (const page of logs.follow(id, after, abort.signal)) {
        lines.push(...page);
        pages.push(page.length);
        await onPage(page);
      }
    })();
    return { lines, pages, done, stop: () => abort.abort() };
  }
  async function until(what: () => boolean) {
    const end = Date.now() + 4_000;
    while (!what()) {
      if (Date.now() > end) throw new Error('It did not come to pass.');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  test('lines come out as they went in, numbered from 1', async () => {
    const odd = 'ü "q" \\ \u001b[31mred\u001b[0m \u2028 \r';
    await logs.append('d', [entry(0, { line: odd }), entry(1, { stream: 'stderr', target: 'backend', line: '' })]);
    await logs.append('d', []);
    expect(await logs.read('d', 0, 10)).toEqual([
      { seq: 1, at: AT, target: 'frontend', stream: 'stdout', line: odd },
      { seq: 2, at: AT, target: 'backend', stream: 'stderr', line: '' },
    ]);
    expect(await logs.read('other', 0, 10)).toEqual([]);
  });

  test('read gives at most limit lines after a number', async () => {
    await logs.append('d', entries(0, 1_000));
    for (const [after, limit] of [
      [0, 3],
      [254, 4],
      [255, 600],
      [512, 1],
      [997, 10],
    ] as const) {
      const lines = await logs.read('d', after, limit);
      const expected = numbered(1_000).slice(after, after + limit);
      expect(lines.map((l) => l.seq)).toEqual(expected);
      expect(texts(lines)).toEqual(expected.map((seq) => `line ${seq - 1}`));
    }
    expect(await logs.read('d', 1_000, 10)).toEqual([]);
    expect(await logs.read('d', 5_000, 10)).toEqual([]);
    expect(await logs.read('d', 0, 0)).toEqual([]);
  });

  test('a line is known by target, attempt and number, in whatever order and however often it comes', async () => {
    const line = fc.record({
      target: fc.constantFrom('frontend' as const, 'backend' as const),
      attempt: fc.integer({ min: 1, max: 2 }),
      n: fc.integer({ min: 0, max: 12 }),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 12 }), async (batches) => {
        const id = `d${runs++}`;
        const first = new Map<string, LogEntry>();
        for (const batch of batches) {
          const sent = batch.map((l) => entry(l.n, { ...l, line: `${l.target} ${l.attempt} ${l.n}` }));
          for (const e of sent) if (!first.has(e.line)) first.set(e.line, e);
          await logs.append(id, sent);
        }
        const lines = await logs.read(id, 0, 1_000);
        expect(lines.map((l) => l.seq)).toEqual(numbered(first.size));
        expect(texts(lines)).toEqual([...first.keys()]);
        for (const target of ['frontend', 'backend'] as const) {
          for (const attempt of [1, 2]) {
            const own = [...first.values()].filter((e) => e.target === target && e.attempt === attempt);
            expect(await logs.count(id, target, attempt)).toBe(own.length);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('appends at once of the same lines write each once', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => logs.append('d', entries(i, i + 20))));
    const lines = await logs.read('d', 0, 100);
    expect(lines.map((l) => l.seq)).toEqual(numbered(27));
    expect(new Set(texts(lines)).size).toBe(27);
    expect(await logs.count('d', 'frontend', 1)).toBe(27);
  });

  test('a follower gets what is there and what comes', async () => {
    await logs.append('d', entries(0, 3));
    const f = follower('d', 1);
    await until(() => f.lines.length === 2);
    await logs.append('d', entries(3, 5));
    await until(() => f.lines.length === 4);
    expect(f.lines.map((l) => l.seq)).toEqual([2, 3, 4, 5]);
    f.stop();
    await f.done;
  });

  test('followers that come at any time see every line once, while lines are appended', async () => {
    const total = 1_500;
    const followers: ReturnType<typeof follower>[] = [];
    for (let n = 0; n < total; n += 25) {
      const appended = logs.append('d', entries(n, n + 25));
      if (n % 150 === 0) followers.push(follower('d', 0), follower('d', n));
      await appended;
    }
    await until(() => followers.every((f) => f.lines.at(-1)?.seq === total));
    for (const f of followers) {
      const from = f.lines[0]!.seq;
      expect(f.lines.map((l) => l.seq)).toEqual(numbered(total).slice(from - 1));
      f.stop();
    }
    expect(followers.filter((f) => f.lines[0]!.seq === 1).length).toBeGreaterThanOrEqual(10);
    await Promise.all(followers.map((f) => f.done));
  });

  test('a slow reader does not hold up who appends, and misses nothing', async () => {
    const slow = follower('d', 0, () => new Promise((resolve) => setTimeout(resolve, 15)));
    for (let n = 0; n < 2_000; n += 100) await logs.append('d', entries(n, n + 100));
    expect(slow.lines.length).toBeLessThan(2_000);
    await until(() => slow.lines.length === 2_000);
    expect(slow.lines.map((l) => l.seq)).toEqual(numbered(2_000));
    expect(Math.max(...slow.pages)).toBeLessThanOrEqual(500);
  });

  test('a wake makes every follower of the deployment yield', async () => {
    const f = follower('d');
    const other = follower('e');
    await logs.append('d', entries(0, 1));
    await logs.append('e', entries(0, 1));
    await until(() => f.lines.length === 1 && other.lines.length === 1);
    await logs.wake('d');
    await until(() => f.pages.length === 2);
    expect(f.pages).toEqual([1, 0]);
    await logs.append('d', entries(1, 2));
    await until(() => f.lines.length === 2);
    expect(other.pages).toEqual([1]);
  });

  test('a follower ends when its signal aborts: before, while it waits, and between pages', async () => {
    const gone = new AbortController();
    gone.abort();
    for await (const _ of logs.follow('d', 0, gone.signal)) throw new Error('It should have ended.');
    const waiting = follower('d');
    await new Promise((resolve) => setTimeout(resolve, 20));
    waiting.stop();
    await waiting.done;
    await logs.append('d', entries(0, 900));
    const between = follower('d', 0, async () => between.stop());
    await between.done;
    expect(between.lines).toHaveLength(500);
  });

  test('a number is as far off as it likes', async () => {
    await logs.append('d', [entry(4_000_000_000), entry(0), entry(4_000_000_000)]);
    expect(await logs.count('d', 'frontend', 1)).toBe(2);
    expect(await logs.count('d', 'frontend', 2)).toBe(0);
  });

  test('a removed log is empty, and may begin anew', async () => {
    await logs.append('d', entries(0, 3));
    await logs.append('e', entries(0, 1));
    await logs.remove('d');
    await logs.remove('d');
    await logs.remove('unknown');
    expect(await logs.read('d', 0, 9)).toEqual([]);
    expect(await logs.read('e', 0, 9)).toHaveLength(1);
    await logs.append('d', entries(0, 2));
    expect((await logs.read('d', 0, 9)).map((l) => l.seq)).toEqual([1, 2]);
  });
});
