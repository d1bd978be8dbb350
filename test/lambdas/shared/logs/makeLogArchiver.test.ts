import type { LogLine } from '../../../../contract/events.ts';
import type { Archive } from '../../../../lambdas/shared/archive.ts';
import { makeLogArchiver } from '../../../../lambdas/shared/logs/makeLogArchiver.ts';
import type { LogChannel } from '../../../../lambdas/shared/ports.ts';
import { openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';
import { gate } from '../../../support/controlPlane/scene.ts';

const ID = 'd1';

/** A bucket whose writes can be held up after the log was read, as a PUT on its way is. */
function slowArchive() {
  const written: string[][] = [];
  const gates: ReturnType<typeof gate>[] = [];
  const archive: Archive = {
    writeRecord: async () => undefined,
    readRecord: async () => null,
    readLog: async () => null,
    async writeLog(_id, pages) {
      const lines: LogLine[] = [];
      for await (const page of pages) lines.push(...page);
      await gates.shift()?.pass();
      written.push(lines.map(({ line }) => line));
    },
  };
  return { archive, written, gates };
}

async function append(logs: LogChannel, ...numbers: number[]) {
  const line = (n: number) => ({
    at: '2026-11-28T00:00:00.000Z',
    stream: 'stdout' as const,
    line: `line ${n}`,
    target: 'frontend' as const,
    attempt: 1,
    n,
  });
  await logs.append(ID, numbers.map(line));
}

it('a run that has read fewer lines and writes last does not take lines out of the archive', async () => {
  const { logs, close } = await openMemoryPlatform({ clock: { now: Date.now } });
  const { archive, written, gates } = slowArchive();
  const archiveLog = makeLogArchiver({ logs, archive });
  await append(logs, 0, 1);
  const held = gate();
  gates.push(held);
  const early = archiveLog(ID);
  await held.reached;
  await append(logs, 2);
  await archiveLog(ID);
  expect(written).toEqual([['line 0', 'line 1', 'line 2']]);
  held.open();
  await early;
  expect(written.at(-1)).toEqual(['line 0', 'line 1', 'line 2']);
  await close();
});

it('a log is written once where nothing is added meanwhile, and an empty one too', async () => {
  const { logs, close } = await openMemoryPlatform({ clock: { now: Date.now } });
  const { archive, written } = slowArchive();
  const archiveLog = makeLogArchiver({ logs, archive });
  await archiveLog(ID);
  await append(logs, 0);
  await archiveLog(ID);
  expect(written).toEqual([[], ['line 0']]);
  await close();
});

it('ends where the archive takes no lines', async () => {
  const { logs, close } = await openMemoryPlatform({ clock: { now: Date.now } });
  let writes = 0;
  const archive: Archive = {
    ...slowArchive().archive,
    writeLog: async () => {
      writes++;
      if (writes > 5) throw new Error('it is written again and again');
    },
  };
  await append(logs, 0);
  await makeLogArchiver({ logs, archive })(ID);
  expect(writes).toBe(2);
  await close();
});
