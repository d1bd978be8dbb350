import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseBuildUsers } from '../../../local/platform/buildUsers.ts';
import { ownsListener } from '../../../local/services/listening.ts';
import { ServiceLog } from '../../../local/services/serviceLog.ts';
import type { VersionSpec } from '../../../local/services/specs.ts';
import { UserNumbers } from '../../../local/services/userNumbers.ts';
import { eventually } from '../../support/eventually.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { openServiceBench, type ServiceBench, serverOf } from '../../support/services.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const asRoot = isRoot ? test : test.skip;

let bench: ServiceBench;
beforeAll(async () => {
  bench = await openServiceBench({ idleMs: { production: 1_000_000, other: 1_000_000 } });
});
afterAll(async () => {
  await bench.services.close();
  removeFolders();
});

/** Processes that are alive of the users of these services. */
function alive({ dataDir }: ServiceBench): string[] {
  const users = chooseBuildUsers(dataDir);
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return (
        users.owns(lstatSync(`/proc/${name}`).uid) &&
        !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${name}/status`, 'utf8'))
      );
    } catch {
      return false;
    }
  });
}

const STUBBORN = serverOf('process.getuid()').replace(
  "process.on('SIGTERM', () => process.exit(0))",
  "process.on('SIGTERM', () => {})",
);

asRoot(
  'the user of a version is nobody else’s before its last process has ended, and then free again',
  async () => {
    const first = bench.version(STUBBORN, { projectId: 'first' });
    await bench.services.start(first);
    const uid = (await bench.ask(first)).text;
    const removal = bench.services.remove('first');
    const second = bench.version(serverOf('process.getuid()'), { projectId: 'second' });
    await bench.services.start(second);
    expect((await bench.ask(second)).text).not.toBe(uid);
    await removal;
    expect((await bench.ask(second)).status).toBe(200);
    const third = bench.version(serverOf('process.getuid()'), { projectId: 'third' });
    await bench.services.start(third);
    expect((await bench.ask(third)).text).toBe(uid);
    for (const projectId of ['second', 'third']) await bench.services.remove(projectId);
  },
  60_000,
);

asRoot(
  'nothing that a version has made anywhere waits for the next one with its user',
  async () => {
    const name = `veren-left-${process.pid}`;
    const files = [`/tmp/${name}`, `/var/tmp/${name}`, `/dev/shm/${name}`];
    const before = `const fs = require('node:fs'); for (const file of ${JSON.stringify(files)}) fs.writeFileSync(file, 'planted');
require('node:child_process').execFileSync('/usr/bin/ipcmk', ['-M', '1000', '-p', '0666']);`;
    const version = bench.version(serverOf('process.getuid()', before), { projectId: 'leaves' });
    await bench.services.start(version);
    const uid = (await bench.ask(version)).text;
    expect(files.filter((file) => existsSync(file))).toEqual(files);
    await bench.services.remove('leaves', version.deploymentId);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
    const segments = readFileSync('/proc/sysvipc/shm', 'utf8').split('\n');
    expect(segments.filter((line) => line.trim().split(/\s+/).includes(uid))).toEqual([]);
  },
  60_000,
);

asRoot(
  'a removal during a first start leaves no process and no folder',
  async () => {
    for (const delay of [0, 20, 60, 150, 300]) {
      const version = bench.version(STUBBORN, { projectId: 'raced' });
      const start = bench.services.start(version).catch((error: Error) => error);
      await sleep(delay);
      await bench.services.remove('raced');
      await start;
      expect(await bench.services.list('raced')).toEqual([]);
      expect(alive(bench)).toEqual([]);
      expect(readdirSync(join(bench.dataDir, 'services/run'))).toEqual([]);
    }
  },
  120_000,
);

test('a removal while a request wakes it leaves no process, and one started again meanwhile waits for it', async () => {
  const own = await openServiceBench({ idleMs: { production: 1_000_000, other: 100 } });
  const version = own.version(serverOf("'ok'"), { projectId: 'woken' });
  await own.services.start(version);
  await eventually(async () => (await own.services.list('woken'))[0]?.state === 'idle');
  const asked = own.ask(version).catch(() => undefined);
  await sleep(20);
  const removal = own.services.remove('woken');
  await own.services.start(version);
  await Promise.all([asked, removal]);
  expect((await own.ask(version)).text).toBe('ok');
  await own.services.remove('woken');
  if (isRoot) expect(alive(own)).toEqual([]);
  await own.services.close();
}, 90_000);

test('who else listens on its port is not taken for it', async () => {
  const version = bench.version(
    "console.log('port ' + process.env.PORT); setInterval(() => {}, 1000)",
    { projectId: 'guessed' },
    { healthSeconds: 4 },
  );
  const start = bench.services.start(version).catch((error: unknown) => error);
  const line = await eventually(async () =>
    (await bench.services.readLog('guessed', { limit: 10 })).find((one) => one.line.startsWith('port ')),
  );
  const thief = createServer((_, response) => response.end('stolen'));
  await new Promise<void>((resolve) => thief.listen(Number(line.line.slice(5)), '127.0.0.1', resolve));
  expect(await start).toMatchObject({ failure: { code: 'SERVICE_NOT_LISTENING' } });
  thief.close();
}, 60_000);

test('a listener is its user’s, or its processes’, at the address that a connection reaches', async () => {
  if (process.platform !== 'linux') return;
  const uid = process.getuid!();
  const pids = async () => [process.pid];
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::', undefined]) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as { port: number };
    const at = host === '::1' ? '::1' : '127.0.0.1';
    expect(await ownsListener(at, port, { uid, pids })).toBe(true);
    expect(await ownsListener(at, port, { uid: uid + 1, pids })).toBe(false);
    expect(await ownsListener(at, port, { uid: undefined, pids })).toBe(true);
    expect(await ownsListener(at, port, { uid: undefined, pids: async () => [1] })).toBe(false);
    server.close();
    expect(await ownsListener(at, port, { uid, pids })).toBe(false);
  }
});

asRoot(
  'it may open a bounded number of files',
  async () => {
    const version = bench.version(serverOf("require('node:child_process').execSync('ulimit -n').toString().trim()"), {
      projectId: 'files',
    });
    await bench.services.start(version);
    expect(Number((await bench.ask(version)).text)).toBeLessThanOrEqual(8_192);
    await bench.services.remove('files');
  },
  60_000,
);

asRoot.each([
  ['a file in /dev/shm', "fs.appendFileSync('/dev/shm/veren-fills-' + process.pid, Buffer.alloc(20e6, 1))"],
  [
    'memory that a child has as its own',
    "kept.push(1) && cp.spawn(process.execPath, ['-e', 'const a = Buffer.alloc(60e6, 1); setInterval(() => a.length, 1000)'], { stdio: 'ignore' })",
  ],
])(
  '%s counts as its memory',
  async (_, fill) => {
    const source = serverOf(
      `(q.url === '/fill' && setInterval(() => kept.length < 6 && ${fill}, 50), 'ok')`,
      "const fs = require('node:fs'), cp = require('node:child_process'), kept = [];",
    );
    const version = bench.version(source, { projectId: 'fills' }, { memoryMb: 200 });
    await bench.services.start(version);
    await bench.services.switchProduction('fills', version);
    await bench.ask(version, '/fill').catch(() => undefined);
    const crash = await eventually(async () => (await bench.services.list('fills'))[0]?.lastCrash);
    expect(crash.reason).toBe('it used more than 200 MB of memory');
    await bench.services.remove('fills');
  },
  60_000,
);

test('folders of versions that nobody knows any more are removed at the start', async () => {
  const dataDir = temporaryFolder();
  const ghost = join(dataDir, 'services/run/01kb3xv7q8w9e1r2t3y4u5i6o1-0');
  mkdirSync(join(ghost, 'app'), { recursive: true });
  const own = await openServiceBench({}, dataDir);
  expect(existsSync(ghost)).toBe(false);
  await own.services.close();
});

describe('numbers of users', () => {
  const versions = (count: number, first: number, notRun?: string) =>
    Array.from({ length: count }, (_, i) => ({ user: first + i, notRun }) as VersionSpec);
  const numbersOf = (projects: Record<string, VersionSpec[]>) =>
    new UserNumbers({
      get: (projectId) => ({ versions: projects[projectId] ?? [] }) as never,
      projects: () => Object.entries(projects).map(([id, kept]) => [id, { versions: kept }] as never),
    });

  test('versions that do not run take none', () => {
    expect(numbersOf({ images: versions(600, 0, 'not run'), shop: [] }).choose('shop')).toBe(0);
    expect(numbersOf({ images: versions(200, 0, 'not run') }).choose('images')).toBe(0);
  });
  test('one project cannot take all, and all together not more than there are', () => {
    const greedy = versions(128, 0);
    expect(() => numbersOf({ greedy }).choose('greedy')).toThrow(/128 versions of this project/);
    expect(numbersOf({ greedy }).choose('other')).toBe(128);
    const four = Object.fromEntries([0, 1, 2, 3].map((n) => [`p${n}`, versions(128, n * 128)]));
    expect(() => numbersOf(four).choose('other')).toThrow(/512 versions/);
  });
  test('one that is held is nobody’s until it is free', () => {
    const [spec] = versions(1, 0);
    const numbers = numbersOf({});
    numbers.hold(spec!);
    expect(numbers.choose('shop')).toBe(1);
    numbers.free(spec!);
    expect(numbers.choose('shop')).toBe(0);
  });
});

describe('its log', () => {
  const line = (text: string) => ({
    ...{ at: new Date(0).toISOString(), deploymentId: '01kb3xv7q8w9e1r2t3y4u5i6o1', stream: 'stdout' as const },
    line: text,
  });
  const sizeOf = async (log: ServiceLog) =>
    (await log.read('shop', { limit: 20_000 } as never)).reduce((sum, one) => sum + one.line.length, 0);

  test('is bounded by bytes, too, and goes on after it', async () => {
    const folder = temporaryFolder();
    const log = new ServiceLog(folder);
    for (let i = 0; i < 300; i++)
      await log.append(
        'shop',
        Array.from({ length: 10 }, () => line('x'.repeat(8_000))),
      );
    expect(await sizeOf(log)).toBeLessThan(11_000_000);
    expect(await sizeOf(log)).toBeGreaterThan(5_000_000);
    await log.append('shop', [line('last')]);
    expect((await log.read('shop', { limit: 1 } as never))[0]?.line).toBe('last');
    await log.flush();
    const again = new ServiceLog(folder);
    expect((await again.read('shop', { limit: 1 } as never))[0]).toMatchObject({ line: 'last', seq: '3001' });
  });
  test('that cannot be written ends nothing', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await new ServiceLog(join(file, 'logs')).append('shop', [line('lost')]);
  });
});

test('a service that ends with its output open is not asked any more', async () => {
  const version = bench.version(serverOf("(q.url === '/end' && setTimeout(() => process.exit(3), 20), 'ok')"), {
    projectId: 'ends',
  });
  await bench.services.start(version);
  await bench.ask(version, '/end');
  await eventually(async () => (await bench.services.list('ends'))[0]?.state === 'crashed');
  await expect(bench.ask(version)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await bench.services.remove('ends');
}, 60_000);

test('the tools that these tests use are there', () => {
  if (isRoot) expect(execFileSync('/usr/bin/ipcmk', ['--version'], { encoding: 'utf8' })).toMatch(/util-linux/);
});
