import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../../../local/adapters/memory/journal.ts';

/** Every way in which a small journal can be cut or changed: what is whole is kept, or nothing is touched. */
let dir: string;
let file: string;
let whole: Buffer;
/** Where each line ends, the newline included: the header, then one line per commit. */
let ends: number[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-damage-'));
  file = join(dir, 'journal.ndjson');
  const journal = await openJournal(dir);
  for (let i = 0; i < 4; i++) {
    journal.table('t').set(`k${i}`, i);
    await journal.commit();
  }
  await journal.close();
  whole = await readFile(file);
  ends = [...whole].flatMap((byte, at) => (byte === 10 ? at + 1 : []));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function openWith(content: Buffer): Promise<{ values: unknown[] | null; said: string[]; error?: string }> {
  for (const name of await readdir(dir)) await rm(join(dir, name));
  await writeFile(file, content);
  const said: string[] = [];
  try {
    const journal = await openJournal(dir, { onRepair: (sentence) => said.push(sentence) });
    const values = [...journal.table('t').values()];
    await journal.close();
    return { values, said };
  } catch (e) {
    expect(await readFile(file)).toEqual(content);
    return { values: null, said, error: (e as Error).message };
  }
}

const asides = async () => (await readdir(dir)).filter((name) => name.includes('.tail-'));

test('cut at any byte: refused inside its first line, else the whole lines are there and the rest is kept aside', async () => {
  for (let cut = 0; cut < whole.length; cut++) {
    const { values, said, error } = await openWith(whole.subarray(0, cut));
    const lines = ends.filter((end) => end <= cut).length;
    if (lines === 0) {
      expect([cut, error]).toEqual([cut, expect.stringMatching(/DATA_FOLDER|is empty|first line/)]);
      expect(error).toContain(dir);
      continue;
    }
    expect([cut, values]).toEqual([cut, [0, 1, 2, 3].slice(0, lines - 1)]);
    const isClean = ends.includes(cut);
    expect([cut, said.length, (await asides()).length]).toEqual([cut, isClean ? 0 : 1, isClean ? 0 : 1]);
    if (!isClean) {
      const [aside] = await asides();
      expect(said[0]).toContain(aside);
      expect(await readFile(join(dir, aside!))).toEqual(whole.subarray(ends[lines - 1]!, cut));
    }
  }
});

test('any byte flipped: refused and untouched, or, in the last line, kept aside', async () => {
  const lastLine = ends.at(-2)!;
  for (let at = 0; at < whole.length; at++) {
    const content = Buffer.from(whole);
    content[at] = content[at]! ^ 0x01;
    const { values, said, error } = await openWith(content);
    // The newline before it makes one line of two.
    if (at === lastLine - 1) expect([at, values, said.length]).toEqual([at, [0, 1], 1]);
    else if (at < lastLine) expect([at, values, error !== undefined]).toEqual([at, null, true]);
    else expect([at, values, said.length]).toEqual([at, [0, 1, 2], 1]);
  }
});

test('a last block of zeros is kept aside and said; one in the middle is refused', async () => {
  const tail = Buffer.from(whole);
  tail.fill(0, ends[2]! + 3);
  expect(await openWith(tail)).toMatchObject({ values: [0, 1], said: [expect.stringContaining('.tail-')] });
  const middle = Buffer.from(whole);
  middle.fill(0, ends[1]! + 3, ends[2]! + 3);
  const { values, error } = await openWith(middle);
  expect([values, error]).toEqual([null, expect.stringMatching(/line 3 of journal\.ndjson is damaged/)]);
});

test('a journal of the version before is read, and written as the present one', async () => {
  const old = '{"journal":"veren","version":1}\n[["t","a",1]]\n[["t","b",2]]\n';
  expect(await openWith(Buffer.from(old))).toEqual({ values: [1, 2], said: [] });
  expect((await readFile(file, 'utf8')).split('\n')[0]).toBe('{"journal":"veren","version":2}');
  expect(await openWith(Buffer.from(`${old}[["t","c`))).toMatchObject({ values: [1, 2], said: [expect.any(String)] });
  const hole = old.replace('"a",1', '"a",');
  expect((await openWith(Buffer.from(hole))).error).toContain('line 2 of journal.ndjson is damaged');
});
