import { appendFile, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Journal, openJournal } from '../../../../local/adapters/memory/journal.ts';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-journal-'));
  file = join(dir, 'journal.ndjson');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const content = (journal: Journal, name = 't') => [...journal.table(name).entries()];
async function reopened(): Promise<[string, unknown][]> {
  const journal = await openJournal(dir);
  const found = content(journal);
  await journal.close();
  return found;
}

test('whatever was set and deleted is there again, in the order of the first setting', async () => {
  const change = fc.tuple(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.option(fc.jsonValue(), { nil: undefined }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }), async (commits) => {
      await rm(dir, { recursive: true, force: true });
      const journal = await openJournal(dir, { compactAfter: 200 });
      const expected = new Map<string, unknown>();
      for (const changes of commits) {
        for (const [key, value] of changes) {
          if (value === undefined) {
            journal.table('t').delete(key);
            expected.delete(key);
          } else {
            journal.table('t').set(key, value);
            expected.set(key, JSON.parse(JSON.stringify(value)));
          }
        }
        await journal.commit();
      }
      await journal.close();
      expect(await reopened()).toEqual([...expected]);
    }),
    { numRuns: 25 },
  );
});

test('what is acknowledged is in the file, and what was set in one turn is one line', async () => {
  const journal = await openJournal(dir);
  journal.table('t').set('a', 1);
  journal.table('u').set('b', 2);
  await journal.commit();
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.slice(1).map((l) => JSON.parse(l.replace(/^[0-9a-f]{16} /, '')))).toEqual([
    [
      ['t', 'a', 1],
      ['u', 'b', 2],
    ],
  ]);
  await journal.close();
});

describe('syncs', () => {
  let syncs: jest.SpyInstance;
  beforeEach(async () => {
    const handle = await open(dir, 'r');
    syncs = jest.spyOn(Object.getPrototypeOf(handle), 'datasync');
    await handle.close();
  });
  afterEach(() => syncs.mockRestore());

  test('commits at once share them', async () => {
    const journal = await openJournal(dir);
    await Promise.all(
      Array.from({ length: 5_000 }, (_, i) => {
        journal.table('t').set(String(i), i);
        return journal.commit();
      }),
    );
    expect(syncs.mock.calls.length).toBeGreaterThanOrEqual(1);
    expect(syncs.mock.calls.length).toBeLessThanOrEqual(2);
    await journal.close();
    expect(await reopened()).toHaveLength(5_000);
  });

  test('a commit waits for the one that holds its own change', async () => {
    let synced = '';
    syncs.mockImplementation(async () => {
      const content = await readFile(file, 'utf8');
      await new Promise((resolve) => setTimeout(resolve, 5));
      synced = content;
    });
    const journal = await openJournal(dir);
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i));
        journal.table('t').set(`key-${i}`, i);
        await journal.commit();
        expect(synced).toContain(`"key-${i}"`);
      }),
    );
    await journal.close();
  });

  const full = () => Object.assign(new Error('ENOSPC: no space left on device, fdatasync'), { code: 'ENOSPC' });

  test('a sync that fails fails who waits for it, takes their changes back, and the next one is tried', async () => {
    const journal = await openJournal(dir);
    const table = journal.table('t');
    table.set('a', 1);
    await journal.commit();
    syncs.mockRejectedValueOnce(full());
    table.set('a', 2);
    table.set('b', 2);
    const first = journal.commit();
    await new Promise(setImmediate);
    table.delete('a'); // waits for the round that fails
    await expect(first).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(content(journal)).toEqual([['a', 1]]);
    expect(await journal.probe()).toBeNull();
    table.set('c', 3);
    await journal.commit();
    await journal.close();
    expect(await reopened()).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
  });

  test('whoever waits for the round behind the one that failed is told too', async () => {
    const journal = await openJournal(dir);
    let fail = (_: Error) => {};
    syncs.mockImplementationOnce(
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    );
    journal.table('t').set('a', 1);
    const first = journal.commit();
    await new Promise((r) => setTimeout(r, 20));
    journal.table('t').set('b', 2);
    const second = journal.commit();
    fail(full());
    const answers = await Promise.allSettled([first, second]);
    expect(answers.map((a) => a.status)).toEqual(['rejected', 'rejected']);
    expect(content(journal)).toEqual([]);
    await journal.close();
    expect(await reopened()).toEqual([]);
  });

  test('whatever fails when: what was acknowledged is there, what was refused is not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), fc.nat(3), async (fails, gap) => {
        await rm(dir, { recursive: true, force: true });
        const journal = await openJournal(dir, { compactAfter: 300 });
        const left = [...fails];
        syncs.mockImplementation(async () => {
          await new Promise(setImmediate);
          if (left.shift()) throw full();
        });
        const outcomes = await Promise.allSettled(
          Array.from({ length: 40 }, async (_, i) => {
            for (let turn = 0; turn < (i * gap) % 17; turn++) await new Promise(setImmediate);
            journal.table('t').set(`key-${i}`, i);
            await journal.commit();
          }),
        );
        const kept = outcomes.flatMap((o, i) => (o.status === 'fulfilled' ? i : [])).sort((a, b) => a - b);
        const values = (entries: [string, unknown][]) => entries.map(([, v]) => v as number).sort((a, b) => a - b);
        syncs.mockResolvedValue(undefined);
        expect(values(content(journal))).toEqual(kept);
        await journal.close();
        expect(values(await reopened())).toEqual(kept);
      }),
      { numRuns: 40 },
    );
  });
});

test('a torn last line is dropped, and writing goes on behind what is whole', async () => {
  const journal = await openJournal(dir);
  journal.table('t').set('a', 1);
  await journal.close();
  await appendFile(file, '[["t","b",2],["t"');
  const next = await openJournal(dir);
  expect(content(next)).toEqual([['a', 1]]);
  next.table('t').set('c', 3);
  await next.close();
  expect(await reopened()).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test.each([
  ['no JSON', 'garbage'],
  ['another shape', '[["t"]]'],
  ['another type', '{"t":1}'],
])('damage in the middle is reported with its line and changes nothing: %s', async (_, damage) => {
  const journal = await openJournal(dir);
  journal.table('t').set('a', 1);
  await journal.commit();
  journal.table('t').set('b', 2);
  await journal.close();
  const lines = (await readFile(file, 'utf8')).split('\n');
  lines[1] = damage;
  await writeFile(file, lines.join('\n'));
  await expect(openJournal(dir)).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNUSABLE',
    message: expect.stringContaining('line 2 of journal.ndjson is damaged'),
  });
  expect(await readFile(file, 'utf8')).toBe(lines.join('\n'));
  // The advice given works, and the folder was let go.
  await writeFile(file, [lines[0], ...lines.slice(2)].join('\n'));
  expect(await reopened()).toEqual([['b', 2]]);
});

test('a journal of another version is not touched', async () => {
  await writeFile(file, '{"journal":"veren","version":3}\n');
  await expect(openJournal(dir)).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
});

test('the file does not grow with its history', async () => {
  const journal = await openJournal(dir, { compactAfter: 10_000 });
  for (let i = 0; i < 300; i++) {
    journal.table('t').set('counter', { i, padding: 'x'.repeat(200) });
    await journal.commit();
  }
  expect((await stat(file)).size).toBeLessThan(25_000);
  await journal.close();
  expect(await reopened()).toEqual([['counter', { i: 299, padding: 'x'.repeat(200) }]]);
  expect((await stat(file)).size).toBeLessThan(400);
});

test('commits during a compaction are all kept', async () => {
  const journal = await openJournal(dir, { compactAfter: 500 });
  await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 40));
      journal.table('t').set(String(i), i);
      await journal.commit();
    }),
  );
  await journal.close();
  expect((await reopened()).map(([, value]) => value).sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 400 }, (_, i) => i),
  );
});

test('secrets of ended work leave the disk at the next start', async () => {
  const journal = await openJournal(dir);
  journal.table('t').set('job', { gitToken: 'ghp_secret' });
  await journal.commit();
  journal.table('t').delete('job');
  await journal.close();
  await reopened();
  expect(await readFile(file, 'utf8')).not.toContain('ghp_secret');
});

describe('the folder', () => {
  test('belongs to one process, and says whose it is', async () => {
    const journal = await openJournal(dir);
    await expect(openJournal(dir)).rejects.toMatchObject({
      code: 'DATA_FOLDER_LOCKED',
      details: { path: dir, pid: process.pid },
    });
    await journal.close();
    await (await openJournal(dir)).close();
    expect(await readdir(dir)).toEqual(['journal.ndjson']);
  });

  test('another living process is respected', async () => {
    await (await openJournal(dir)).close();
    const started = (await readFile(`/proc/${process.ppid}/stat`, 'utf8').catch(() => null))
      ?.replace(/^.*\) /s, '')
      .split(' ')[19];
    await writeFile(join(dir, 'lock'), JSON.stringify({ pid: process.ppid, started: started ?? null }));
    await expect(openJournal(dir)).rejects.toMatchObject({ details: { pid: process.ppid } });
  });

  test.each([
    ['of a dead process', { pid: 2 ** 22 + 1, started: '1' }],
    ['of a pid that was given to another', { pid: process.ppid, started: '1' }],
    ['of a process with our pid, before a restart of the container', { pid: process.pid, started: '1' }],
    ['torn', null],
  ])('a lock is taken over that is %s', async (_, lock) => {
    await writeFile(join(dir, 'lock'), lock ? JSON.stringify(lock) : '{"pi');
    await (await openJournal(dir)).close();
  });

  test('that cannot be used is named with the reason', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(openJournal(join(dir, 'file'))).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    await expect(openJournal(join(dir, 'file', 'below'))).rejects.toMatchObject({
      code: 'DATA_FOLDER_UNUSABLE',
      details: { path: join(dir, 'file', 'below') },
    });
  });
});
