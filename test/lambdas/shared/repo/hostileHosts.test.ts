import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { removeFolders } from '../../../support/folders.ts';
import {
  advertise,
  FLUSH,
  type HostileAnswers,
  type HostileGitHost,
  pkt,
  refsOfEqualHash,
  sendPack,
  startHostileGitHost,
  writeAgain,
} from '../../../support/hostileGitHost.ts';
import { HostilePack, treeEntry } from '../../../support/hostilePack.ts';
import { type Measured, measuredAnalysis } from '../../../support/measuredAnalysis.ts';

/** Hosts that want to stop whoever reads from them. What counts is the end: a sentence, little memory, and no standing still. */

jest.setTimeout(120_000);

const hosts: HostileGitHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});
afterAll(removeFolders);

async function attack(
  answers: HostileAnswers,
  limits: Parameters<typeof measuredAnalysis>[1] = {},
  commit?: string,
): Promise<Measured> {
  const host = await startHostileGitHost(answers, commit);
  hosts.push(host);
  return measuredAnalysis(host.url, limits);
}

const attackWithPack = (pack: HostilePack, tree: string, limits: Parameters<typeof measuredAnalysis>[1] = {}) => {
  const commit = pack.commit(tree);
  return attack({ fetch: (res) => sendPack(res, pack.bytes()) }, limits, commit);
};

/** A machine that is busy takes its time; an analysis that is hit takes minutes. */
function expectHarmless({ ms, stallMs, grownMiB }: Measured): void {
  expect(grownMiB).toBeLessThan(200);
  expect(stallMs).toBeLessThan(6_000);
  expect(ms).toBeLessThan(50_000);
}

const LONG = 65_000;
const long = pkt('x'.repeat(LONG));

describe('lines', () => {
  const endlessCapabilities: HostileAnswers = {
    discovery: async (res) => {
      advertise(res);
      await writeAgain(res, long, 30_000);
      res.end(FLUSH);
    },
  };
  const attacks: [string, HostileAnswers, RegExp][] = [
    ['6,000 refs whose long names have the same hash', { refs: refsOfEqualHash }, /a line of more than/],
    [
      'refs without end',
      { refs: (res) => writeAgain(res, pkt(`${'a'.repeat(40)} refs/heads/x\n`)) },
      /beside the files/,
    ],
    ['capabilities of 2 GB', endlessCapabilities, /memory|a line of more than/],
    [
      'a section of 2 GB',
      {
        fetch: async (res) => {
          res.write(pkt('acknowledgments\n'));
          await writeAgain(res, long, 30_000);
          res.end(FLUSH);
        },
      },
      /a line of more than/,
    ],
    [
      'sections without end',
      {
        fetch: (res) =>
          writeAgain(
            res,
            Buffer.concat([pkt('shallow-info\n'), pkt(`shallow ${'b'.repeat(40)}\n`), Buffer.from('0001')]),
          ),
      },
      /beside the files/,
    ],
    [
      'progress without end',
      {
        fetch: async (res) => {
          res.write(pkt('packfile\n'));
          await writeAgain(res, pkt(Buffer.alloc(60_000, 2)));
        },
      },
      /beside the files/,
    ],
  ];
  test.each(attacks)('%s', async (_what, answers, reason) => {
    const measured = await attack(answers);
    expect(measured).toMatchObject({ code: 'REPO_TOO_LARGE', message: expect.stringMatching(reason) });
    expectHarmless(measured);
  });

  test('empty packets without end', async () => {
    const measured = await attack({ refs: (res) => writeAgain(res, Buffer.from('0004'.repeat(10_000))) });
    expect(measured.code).toBe('GIT_FAILED');
    expectHarmless(measured);
  });
});

describe('HTTP', () => {
  test('a few bytes that unpack to gigabytes', async () => {
    const measured = await attack({
      async discovery(res) {
        res.writeHead(200, {
          'content-type': 'application/x-git-upload-pack-advertisement',
          'content-encoding': 'gzip',
        });
        const gzip = createGzip({ level: 1 });
        gzip.pipe(res);
        gzip.write(Buffer.concat([pkt('# service=git-upload-pack\n'), FLUSH, pkt('version 2\n')]));
        const many = Buffer.concat(Array.from({ length: 100 }, () => long));
        const gone = once(res, 'close');
        for (let i = 0; i < 120 && !res.destroyed; i++)
          if (!gzip.write(many)) await Promise.race([once(gzip, 'drain'), gone]);
        gzip.end(FLUSH);
      },
    });
    expect(measured).toMatchObject({ code: 'REPO_TOO_LARGE', message: expect.stringContaining('memory') });
    expectHarmless(measured);
  });

  test('a discovery in chunks without end', async () => {
    const measured = await attack({
      discovery: async (res) => {
        advertise(res);
        await writeAgain(res, pkt('agent=x\n'.repeat(100)));
      },
    });
    expect(measured.code).toBe('REPO_TOO_LARGE');
    expectHarmless(measured);
  });

  const raw = (text: (i: number) => string): HostileAnswers => ({
    async discovery({ socket }) {
      const gone = new Promise((closed) => socket!.once('close', closed));
      for (let i = 0; !socket!.destroyed && i < 1_000_000; i++)
        if (!socket!.write(text(i))) await Promise.race([once(socket!, 'drain').catch(() => {}), gone]);
    },
  });
  test.each([
    ['headers', raw((i) => (i === 0 ? 'HTTP/1.1 200 OK\r\n' : `x-${i}: ${'y'.repeat(8_000)}\r\n`))],
    ['answers before the answer', raw(() => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000))],
    [
      'bytes, one each second',
      { discovery: (res) => void setInterval(() => res.write('0'), 1_000).unref() } satisfies HostileAnswers,
    ],
  ])('%s without end', async (_what, answers) => {
    const measured = await attack(answers, { timeoutMs: 4_000 });
    expect(['GIT_TIMEOUT', 'GIT_FAILED', 'REPO_TOO_LARGE']).toContain(measured.code);
    expect(measured.ms).toBeLessThan(30_000);
    expectHarmless(measured);
  });
});

describe('packs', () => {
  test('a difference of half a kilobyte that makes 1.5 GB', async () => {
    const pack = new HostilePack();
    const base = pack.add('blob', Buffer.alloc(65_536));
    pack.addDelta(base, 1_500 * 16, 1);
    const measured = await attackWithPack(pack, pack.add('tree', treeEntry('100644', 'index.html', base)));
    expect(measured).toMatchObject({ code: 'REPO_TOO_LARGE', message: expect.stringContaining('memory') });
    expectHarmless(measured);
  });

  test('differences that keep git busy end with the time that there is', async () => {
    const pack = new HostilePack();
    const base = pack.add('blob', Buffer.alloc(65_536));
    for (let i = 0; i < 200; i++) pack.addDelta(base, 200 * 16, i);
    const tree = pack.add('tree', treeEntry('100644', 'index.html', base));
    const measured = await attackWithPack(pack, tree, { timeoutMs: 6_000 });
    expect(['REPO_TOO_LARGE', 'GIT_TIMEOUT']).toContain(measured.code);
    expect(measured.ms).toBeLessThan(30_000);
    expectHarmless(measured);
  });

  test('four thousand million objects, it says', async () => {
    const measured = await attack({ fetch: (res) => sendPack(res, new HostilePack().bytes(0xffff_ffff)) });
    expect(['REPO_TOO_LARGE', 'GIT_FAILED']).toContain(measured.code);
    expectHarmless(measured);
  });

  test('a pack in packets of one byte', async () => {
    const pack = new HostilePack();
    const blob = pack.add('blob', Buffer.from('<html></html>'));
    for (let i = 0; i < 3_000; i++) pack.add('blob', Buffer.from(`${i}`.repeat(50)));
    const commit = pack.commit(pack.add('tree', treeEntry('100644', 'index.html', blob)));
    const measured = await attack({ fetch: (res) => sendPack(res, pack.bytes(), 1) }, {}, commit);
    expect(measured.code).toBe('planned');
    expectHarmless(measured);
  });
});

describe('trees', () => {
  const OID = '1'.repeat(40);

  test('eight folders of 60 MB in a pack of 1 MB', async () => {
    const pack = new HostilePack();
    const many = Buffer.alloc(60 * 2 ** 20, treeEntry('100644', 'a', OID));
    const folders = Array.from({ length: 8 }, (_, i) =>
      pack.add('tree', Buffer.concat([treeEntry('100644', `f${i}`, OID), many])),
    );
    const root = Buffer.concat(folders.map((oid, i) => treeEntry('40000', `d${i}`, oid)));
    const measured = await attackWithPack(pack, pack.add('tree', root));
    expect(measured.code).toBe('NOTHING_TO_DEPLOY');
    expectHarmless(measured);
  });

  test.each([
    ['files', ''],
    ['texts', '.md'],
    ['programs', '.py'],
  ])('a folder of 1.5 million %s', async (_what, ending) => {
    const pack = new HostilePack();
    const entry = treeEntry('100644', `f00000000${ending}`, OID);
    const entries = Buffer.alloc(1_500_000 * entry.length, entry);
    for (let i = 0; i < 1_500_000; i++) entries.write(String(i).padStart(8, '0'), i * entry.length + 8);
    const measured = await attackWithPack(pack, pack.add('tree', entries));
    expect(measured.code).toBe('NOTHING_TO_DEPLOY');
    expectHarmless(measured);
  });

  test('a hundred thousand folders that are one with a name of 7 MB', async () => {
    const pack = new HostilePack();
    const inner = pack.add('tree', treeEntry('100644', Buffer.alloc(7 * 2 ** 20, 'n'), OID));
    const root = Buffer.concat(
      Array.from({ length: 100_000 }, (_, i) => treeEntry('40000', `d${String(i).padStart(6, '0')}`, inner)),
    );
    const measured = await attackWithPack(pack, pack.add('tree', root));
    expect(measured.code).toBe('NOTHING_TO_DEPLOY');
    expectHarmless(measured);
  });

  test('paths of three kilobytes, and as many as may be', async () => {
    const pack = new HostilePack();
    let tree = pack.add('tree', treeEntry('100644', 'f', OID));
    const wide = (count: number, oid: string) =>
      pack.add(
        'tree',
        Buffer.concat(Array.from({ length: count }, (_, i) => treeEntry('40000', String(i).padStart(250, 'n'), oid))),
      );
    tree = wide(190_000 / 100, tree);
    tree = wide(100, tree);
    for (let i = 0; i < 8; i++) tree = wide(1, tree);
    const measured = await attackWithPack(pack, tree);
    expect(measured.code).toBe('NOTHING_TO_DEPLOY');
    expectHarmless(measured);
  });

  test('two thousand manifests of a megabyte', async () => {
    const pack = new HostilePack();
    const blob = pack.add('blob', Buffer.from(`{"name":"x"}${' '.repeat(2 ** 20 - 100)}`));
    const names = ['package.json', 'pnpm-lock.yaml', 'vite.config.ts', 'yarn.lock'];
    const folder = pack.add('tree', Buffer.concat(names.map((name) => treeEntry('100644', name, blob))));
    const root = Buffer.concat(
      Array.from({ length: 500 }, (_, i) => treeEntry('40000', `d${String(i).padStart(3, '0')}`, folder)),
    );
    const measured = await attackWithPack(pack, pack.add('tree', root));
    expect(measured.code).toBe('MANIFEST_INVALID');
    expectHarmless(measured);
  });
});
