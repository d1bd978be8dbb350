import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-crash-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Lets a process work until it has acknowledged that much, kills it -9 and gives the last number acknowledged. */
async function killed(round: number, after: number): Promise<number> {
  const child = fork(join(__dirname, 'crashChild.ts'), [dir, String(round)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let last = -1;
  child.on('message', (i: number) => {
    last = i;
    if (i === after) child.kill('SIGKILL');
  });
  const signal = await new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  expect(signal).toBe('SIGKILL');
  return last;
}

test('after kill -9, time and again, nothing that was acknowledged is lost', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 2; round++) acknowledged.push(await killed(round, 150 + round * 77));

  const platform = await openMemoryPlatform({ dataDir: dir, clock: { now: Date.now } });
  const jobs = (await platform.queue.list('build', 'waiting')).map((j) => j.id);
  const messages: string[] = [];
  platform.bus.subscribe('deployment-events', async (batch) => {
    messages.push(...batch.map((m) => m.value));
  });
  await platform.bus.idle();

  for (const [round, last] of acknowledged.entries()) {
    const expected = Array.from({ length: last + 1 }, (_, i) => `${round}-${i}`);
    expect(jobs.filter((id) => id.startsWith(`${round}-`)).slice(0, last + 1)).toEqual(expected);
    expect(messages.filter((m) => m.startsWith(`${round}-`)).slice(0, last + 1)).toEqual(expected);
    const lines = await platform.logs.read(`log-${round}`, 0, 10_000);
    expect(lines.slice(0, last + 1).map((l) => l.line)).toEqual(expected.map((_, i) => `line ${i}`));
    expect(await platform.logs.count(`log-${round}`, 'frontend', 1)).toBe(lines.length);
  }
  await platform.close();
});
