import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { removeFolders } from '../../support/folders.ts';
import { openServiceBench, type ServiceBench, serverOf } from '../../support/services.ts';

let bench: ServiceBench;
beforeAll(async () => {
  bench = await openServiceBench({ idleMs: { production: 1_000_000, other: 1_000_000 } });
});
afterAll(async () => {
  await bench.services.close();
  removeFolders();
});

const LISTEN = (port: string) => `require('node:http').createServer((q, r) => r.end('ok')).listen(${port});`;

test.each([
  [
    'never listens',
    'setInterval(() => {}, 1000)',
    'SERVICE_NOT_LISTENING',
    /did not listen on port \d+ within 1 s\. Let/,
  ],
  ['listens on another port', LISTEN('34567'), 'SERVICE_NOT_LISTENING', /It listens on 34567/, 4],
  ['ends at once', 'process.exit(7)', 'SERVICE_EXITED', /exit code 7/, 4],
  ['is killed', "process.kill(process.pid, 'SIGKILL')", 'SERVICE_EXITED', /SIGKILL/, 4],
  [
    'answers 500',
    "require('node:http').createServer((q, r) => { r.statusCode = 500; r.end(); }).listen(process.env.PORT)",
    'SERVICE_UNHEALTHY',
    /it answered 500/,
    4,
  ],
  [
    'accepts and never answers',
    "require('node:http').createServer(() => {}).listen(process.env.PORT)",
    'SERVICE_UNHEALTHY',
    /did not answer/,
    4,
  ],
] as [string, string, string, RegExp, number?][])(
  'a backend that %s',
  async (_, source, code, message, healthSeconds = 1) => {
    const version = bench.version(source, {}, { healthSeconds });
    await expect(bench.services.start(version)).rejects.toMatchObject({
      failure: { code, message: expect.stringMatching(message) },
    });
    expect(await bench.services.list('shop')).toEqual([]);
  },
  60_000,
);

test('one that listens on 127.0.0.1, or on ::1 alone, is reached', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const source = `require('node:http').createServer((q, r) => r.end('ok')).listen(process.env.PORT, '${host}')`;
    const version = bench.version(source, { projectId: 'loopback' });
    await bench.services.start(version);
    expect(await bench.ask(version)).toEqual({ status: 200, text: 'ok' });
  }
}, 60_000);

test('it sees its variables and PORT, nothing of the platform’s, and its secrets are masked in its log', async () => {
  process.env.OF_THE_PLATFORM = 'secret of the platform';
  const version = bench.version(
    `console.log('the key is ' + process.env.KEY);${serverOf('JSON.stringify(process.env)')}`,
    { projectId: 'sees', environment: { KEY: 'k3y-of-the-shop', NAME: 'plain' }, secrets: ['KEY'] },
  );
  await bench.services.start(version);
  const env = JSON.parse((await bench.ask(version)).text);
  expect(env).toMatchObject({ KEY: 'k3y-of-the-shop', NAME: 'plain', NODE_ENV: 'production' });
  expect(JSON.stringify(env)).not.toContain('secret of the platform');
  await eventually(async () =>
    (await bench.services.readLog('sees', { limit: 10 })).some(({ line }) => line === 'the key is ***'),
  );
}, 60_000);

test('one that leaks memory is ended, the crash is told, and it comes again', async () => {
  const source = serverOf(
    "(q.url === '/leak' && setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 20), 'ok')",
    'const kept = [];',
  );
  const version = bench.version(source, { projectId: 'leaks' }, { memoryMb: 150 });
  await bench.services.start(version);
  await bench.services.switchProduction('leaks', version);
  await bench.ask(version, '/leak').catch(() => undefined);
  const crash = await eventually(async () => (await bench.services.list('leaks'))[0]?.lastCrash);
  expect(crash.reason).toBe('it used more than 150 MB of memory');
  await eventually(async () => (await bench.services.list('leaks'))[0]?.state === 'running');
  expect((await bench.ask(version)).text).toBe('ok');
}, 60_000);

test('one that ignores SIGTERM is killed', async () => {
  const source = serverOf("'ok'").replace(
    "process.on('SIGTERM', () => process.exit(0))",
    "process.on('SIGTERM', () => {})",
  );
  const version = bench.version(source, { projectId: 'ignores' });
  await bench.services.start(version);
  const began = Date.now();
  await bench.services.remove('ignores', version.deploymentId);
  expect(Date.now() - began).toBeLessThan(20_000);
  expect(await bench.ask(version)).toEqual({ status: 404, text: '' });
}, 60_000);

test('one that prints 1 GB answers, and its log stays small', async () => {
  const memory = process.memoryUsage().rss;
  const before =
    "const line = 'x'.repeat(1e6) + '\\n'; let n = 0; const go = () => { while (n++ < 1000) if (!process.stdout.write(line)) return process.stdout.once('drain', go); console.log('done'); }; go();";
  const version = bench.version(serverOf("n + ' ok'", before), { projectId: 'prints' });
  await bench.services.start(version);
  await eventually(async () => Number.parseInt((await bench.ask(version)).text, 10) >= 1_000);
  await sleep(1_500);
  const lines = await bench.services.readLog('prints', { limit: 1_000 });
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.reduce((sum, { line }) => sum + line.length, 0)).toBeLessThan(8_000_000);
  // This process runs other suites, too, whose memory it still has.
  expect(process.memoryUsage().rss - memory).toBeLessThan(0.6e9);
}, 120_000);

test('a child that it has left dies with it', async () => {
  const before =
    "require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }).unref();";
  const version = bench.version(serverOf("'ok'", before), { projectId: 'forks' });
  await bench.services.start(version);
  await bench.services.remove('forks');
  const { execFileSync } = await import('node:child_process');
  const alive = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  expect(alive.filter((args) => args.includes('setInterval(() => {}, 1000)'))).toEqual([]);
}, 60_000);

test('idle ones are stopped, a request wakes them, and after another start of the platform they are still there', async () => {
  const own = await openServiceBench({ idleMs: { production: 1_000_000, other: 500 } });
  const version = own.version(serverOf('process.pid'));
  await own.services.start(version);
  const first = await own.ask(version);
  await eventually(async () => (await own.services.list('shop'))[0]?.state === 'idle');
  const second = await own.ask(version);
  expect(second.status).toBe(200);
  expect(second.text).not.toBe(first.text);
  expect((await own.services.counts('shop')).coldStarts).toBe(1);
  await own.services.switchProduction('shop', version);
  await own.services.close();
  const again = await own.reopen();
  expect(await again.services.list('shop')).toEqual([
    expect.objectContaining({ deploymentId: version.deploymentId, state: 'idle', isProduction: true }),
  ]);
  expect((await again.ask(version)).status).toBe(200);
  await again.services.close();
}, 90_000);

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test('what must always run is started when the platform listens, and not before', async () => {
  const own = await openServiceBench();
  const version = own.version(serverOf("'up'"), {}, { kind: 'always-on' });
  await own.services.start(version);
  await own.services.switchProduction('shop', version);
  await own.services.close();
  const { services } = await own.reopen({ isBefore: true });
  const state = async () => (await services.list('shop'))[0]?.state;
  expect(await state()).toBe('idle');
  services.resume();
  expect(await state()).toBe('starting');
  await eventually(async () => (await state()) === 'running');
  await services.close();
}, 60_000);

test('a start after a crash of the platform ends what it has left', async () => {
  const own = await openServiceBench();
  const version = own.version(serverOf('process.pid'));
  await own.services.start(version);
  const pid = Number((await own.ask(version)).text);
  // The platform before is not closed: as after SIGKILL, its process runs on.
  const again = await own.reopen();
  await eventually(() => isGone(pid));
  // The one before, which a real crash would have ended, may start its own again and end this one's once.
  await eventually(async () => (await again.ask(version).catch(() => null))?.status === 200);
  await again.services.close();
  await own.services.close();
}, 60_000);
