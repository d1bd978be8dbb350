import type { LogBatch } from '../../contract/events.ts';
import { lastWords } from '../../lambdas/shared/adapters/redis/logCap.ts';
import { type MemoryLogs, memoryLogs } from '../../local/adapters/memory/logs.ts';
import { type KafkaLog, restoreLog, sortIn } from '../../operator/rebuild/rebuildLog.ts';

const batch = (first: number, count: number, target: 'frontend' | 'backend' = 'frontend'): LogBatch => ({
  v: 1,
  deploymentId: 'd1',
  projectId: 'p1',
  target,
  attempt: 1,
  first,
  lines: Array.from({ length: count }, (_, i) => ({
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, first + i)).toISOString(),
    stream: 'stdout',
    line: `${target} ${first + i}`,
  })),
});
/** What Kafka has, with a repeat, as a producer's retry leaves it. */
function kafkaLog(): KafkaLog {
  const logs = new Map<string, KafkaLog>();
  for (const b of [batch(0, 3), batch(0, 2, 'backend'), batch(2, 4), batch(2, 4)]) sortIn(logs, b);
  return logs.get('d1')!;
}
const ORDER = [
  'frontend 0',
  'frontend 1',
  'frontend 2',
  'backend 0',
  'backend 1',
  'frontend 3',
  'frontend 4',
  'frontend 5',
];

describe('a hot log', () => {
  const { entries } = kafkaLog();
  let hot: MemoryLogs;
  let cleared: number;
  beforeEach(() => {
    hot = memoryLogs();
    cleared = 0;
  });
  afterEach(() => hot.close());
  const restore = () =>
    restoreLog(
      {
        logs: { ...hot, append: (id, lines) => hot.append(id, lines) },
        async clearLog() {
          cleared++;
          await hot.close();
          hot = memoryLogs();
        },
      },
      'd1',
      kafkaLog(),
    );
  const lines = async () => (await hot.read('d1', 0, 100)).map((l) => l.line);

  it('has the lines in the order of Kafka, each once', () => {
    expect(entries.map((e) => e.line)).toEqual(ORDER);
  });

  it('that is gone is made anew, and is then the same', async () => {
    expect(await restore()).toBe(false);
    expect(await lines()).toEqual(ORDER);
    expect(await restore()).toBe(true);
  });

  it('that is behind is brought forward, and one that is ahead is left alone', async () => {
    await hot.append('d1', entries.slice(0, 4));
    expect(await restore()).toBe(false);
    expect(cleared).toBe(0);
    await hot.append('d1', [{ ...entries[0]!, n: 6, line: 'frontend 6' }]);
    expect(await restore()).toBe(true);
    expect(await lines()).toEqual([...ORDER, 'frontend 6']);
  });

  it('that begins in the middle is thrown away', async () => {
    await hot.append('d1', entries.slice(5));
    expect(await restore()).toBe(false);
    expect(cleared).toBe(1);
    expect(await lines()).toEqual(ORDER);
  });

  it('that was cut at its limit stays cut', async () => {
    await hot.append('d1', [...entries.slice(0, 3), lastWords(entries[3]!, 1_000)]);
    expect(await restore()).toBe(true);
    expect(await lines()).toHaveLength(4);
  });
});
