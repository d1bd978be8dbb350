import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceArtifact, ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';
import {
  askEngine,
  buildImage,
  engineEnvironment,
  leftInEngine,
  missingContainerEngine,
} from '../support/containerEngine.ts';
import { askHost, productionUrl } from '../support/deployServer.ts';
import { describeWith } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { removeFolders } from '../support/folders.ts';
import { openServiceBench, type ServiceBench, serverOf } from '../support/services.ts';
import { exampleRepository, usePlatform } from '../support/veren.ts';

describeWith(missingContainerEngine(), 'images of services, as containers', () => {
  let bench: ServiceBench;
  const open = (idleMs = 1_000_000) =>
    openServiceBench({
      hostEnv: { ...engineEnvironment(), PATH: '/usr/bin' },
      idleMs: { production: 1_000_000, other: idleMs },
    });
  beforeAll(async () => {
    bench = await open();
  }, 60_000);
  afterAll(async () => {
    await bench.services.close();
    expect(leftInEngine()).toEqual([]);
    removeFolders();
  }, 120_000);

  const version = (
    of: Partial<ServiceVersion>,
    server: string,
    instructions?: string[],
    settings?: Parameters<ServiceBench['version']>[2],
    at = bench,
  ) => {
    const artifact = buildImage(server, instructions) as ServiceArtifact;
    return at.version('', { ...of, artifact }, { healthSeconds: 60, ...settings });
  };
  const nameOf = (deploymentId: string) =>
    askEngine('ps', '--filter', 'label=veren.platform', '--format', '{{.Names}}')
      .split('\n')
      .find((name) => name.endsWith(`-${deploymentId}-0`))!;
  /** The whole end of a name: what stands before it is random. */
  const leftOf = ({ deploymentId }: { deploymentId: string }) =>
    leftInEngine().filter((name) => name.endsWith(`-${deploymentId}-0`));
  const inspect = (name: string, format: string) => askEngine('inspect', '--format', format, name);

  test('one answers at a port of this machine alone, with its variables and without rights, and no other reaches it', async () => {
    const key = 'first line\nsecond line';
    const server = `console.log('the key is ' + process.env.PASSWORD);${serverOf(
      "q.url === '/env' ? JSON.stringify(process.env) : q.url.startsWith('/get?') ? fetch(q.url.slice(5), { signal: AbortSignal.timeout(3000) }).then((a) => a.text(), (e) => 'not reached') : require('node:fs').readFileSync('/proc/self/status', 'utf8')",
    )}`;
    const environment = { KEY: key, PASSWORD: 's3cret-of-the-shop', NAME: '  as "it" is # here $HOME ', PORT: '1' };
    const one = version({ projectId: 'one', environment, secrets: ['PASSWORD'], port: 80 }, server);
    const two = version({ projectId: 'two' }, server);
    expect(await bench.services.start(one)).toMatchObject({
      state: 'running',
      reason: expect.stringMatching('container'),
    });
    await bench.services.start(two);
    const env = JSON.parse((await bench.ask(one, '/env')).text);
    expect(env).toMatchObject({ ...environment, PORT: '80' });
    const status = (await bench.ask(one)).text;
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(
      inspect(nameOf(one.deploymentId), '{{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}'),
    ).toBe('127.0.0.1');
    const address = inspect(nameOf(one.deploymentId), '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
    expect((await bench.ask(two, `/get?http://${address}/`)).text).toBe('not reached');
    expect(JSON.stringify(await bench.services.readLog('one', { limit: 50 }))).toContain('the key is ***');
    for (const projectId of ['one', 'two']) await bench.services.remove(projectId);
    expect(askEngine('ps', '--all', '--quiet', '--filter', 'label=veren.platform')).toBe('');
  }, 240_000);

  test('an idle one is stopped and a request wakes it; one that takes too much memory is ended and comes again', async () => {
    const own = await open(1_500);
    const leaks = serverOf(
      "(q.url === '/leak' && setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 20), 'ok')",
      'const kept = [];',
    );
    const one = version({ projectId: 'wakes' }, leaks, undefined, { memoryMb: 128 }, own);
    await own.services.start(one);
    await eventually(async () => (await own.services.list('wakes'))[0]?.state === 'idle');
    await eventually(() => leftOf(one).length === 0);
    expect(await own.ask(one)).toEqual({ status: 200, text: 'ok' });
    await own.services.switchProduction('wakes', one);
    await own.ask(one, '/leak').catch(() => undefined);
    const crash = await eventually(async () => (await own.services.list('wakes'))[0]?.lastCrash);
    expect(crash.reason).toBe('it used more than 128 MB of memory');
    await eventually(async () => (await own.services.list('wakes'))[0]?.state === 'running');
    await own.services.close();
  }, 240_000);

  test('a start after a crash of the platform removes what it has left, of this platform alone', async () => {
    const own = await open();
    const other = version({ projectId: 'other' }, serverOf("'ok'"));
    const one = version(
      { projectId: 'left', deploymentId: 'killed' },
      serverOf("require('node:os').hostname()"),
      undefined,
      {},
      own,
    );
    await bench.services.start(other);
    await own.services.start(one);
    const before = (await own.ask(one)).text;
    // The platform before is not closed, as after SIGKILL.
    const again = await own.reopen();
    expect(leftOf(one)).toEqual([]);
    const { status, text } = await again.ask(one);
    expect([status, text === before]).toEqual([200, false]);
    expect((await bench.ask(other)).text).toBe('ok');
    await again.services.close();
    await own.services.close();
    await bench.services.remove('other');
  }, 240_000);

  test('what an earlier platform did not run is run when it is started again', async () => {
    const before = await openServiceBench({ hostEnv: { VEREN_CONTAINER_ENGINE: 'none' } });
    const one = version({ projectId: 'earlier' }, serverOf("'ok'"), undefined, {}, before);
    expect(await before.services.start(one)).toMatchObject({ state: 'not-run' });
    await before.services.close();
    const own = await openServiceBench({ hostEnv: { ...engineEnvironment(), PATH: '/usr/bin' } }, before.dataDir);
    expect(await own.services.start(one)).toMatchObject({ state: 'running' });
    expect((await own.ask(one)).text).toBe('ok');
    await own.services.close();
  }, 120_000);

  test.each([
    [
      'never listens',
      'setInterval(() => {}, 1000)',
      'SERVICE_NOT_LISTENING',
      /did not listen on port 3000 within 8 s\. Let/,
    ],
    [
      'listens on another port',
      'require("http").createServer().listen(4000)',
      'SERVICE_NOT_LISTENING',
      /It listens on 4000\./,
    ],
    [
      'listens on the loopback address of its container',
      'require("http").createServer().listen(3000, "127.0.0.1")',
      'SERVICE_NOT_LISTENING',
      /It listens on 3000 of its own loopback address alone/,
    ],
    ['ends at once', 'console.error("no database"); process.exit(7)', 'SERVICE_EXITED', /exit code 7/],
    [
      'answers 500',
      'require("http").createServer((q, r) => { r.statusCode = 500; r.end(); }).listen(3000)',
      'SERVICE_UNHEALTHY',
      /answered 500/,
    ],
  ])(
    'an image that %s',
    async (_, server, code, message) => {
      const bad = version({ projectId: 'bad' }, server, undefined, { healthSeconds: 8 });
      const fault = await bench.services.start(bad).catch((error) => error);
      expect(fault).toMatchObject({ failure: { code, message: expect.stringMatching(message) } });
      if (code === 'SERVICE_EXITED') expect(fault.failure.lastLines).toEqual(['no database']);
      expect(await bench.services.list('bad')).toEqual([]);
      expect(leftOf(bad)).toEqual([]);
    },
    120_000,
  );

  test('a program that is not there is the image’s fault, with the engine’s words', async () => {
    const bad = version({ projectId: 'absent' }, '', ['ENTRYPOINT ["/no/such/program"]']);
    const fault = await bench.services.start(bad).catch((error) => error);
    expect(fault).toMatchObject({ failure: { code: 'SERVICE_EXITED' } });
    expect(fault.failure.lastLines.join('\n')).toContain('no such file or directory');
  }, 120_000);

  test.each([
    ['as the default', []],
    ['by number', ['USER 0:1000']],
    ['by a name of its own', ['RUN echo toor:x:0:0::/:/bin/sh >>/etc/passwd', 'USER toor']],
    ['by a name that leads elsewhere', ['RUN mv /etc/passwd /x && ln -s /x /etc/passwd', 'USER node']],
  ])(
    'one that asks for root %s does not get it',
    async (_, instructions) => {
      const root = version({ projectId: 'root' }, serverOf("process.getuid() + ':' + process.getgid()"), instructions);
      await bench.services.start(root);
      expect((await bench.ask(root)).text).toBe('10001:10001');
      await bench.services.remove('root');
    },
    120_000,
  );

  test('one that starts processes without end, ignores SIGTERM and prints 1 GB answers, and is gone when it is removed', async () => {
    const before = `const { spawn } = require('node:child_process');
process.on('SIGTERM', () => {});
const line = 'x'.repeat(1e6) + '\\n'; let written = 0, started = 0, failed = 0;
const print = () => { while (written < 1000) { written++; if (!process.stdout.write(line)) return process.stdout.once('drain', print); } };
const fork = () => { for (let i = 0; i < 50; i++) { const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' }); child.on('error', () => failed++); child.pid && started++; }
  failed === 0 && setTimeout(fork, 10); };`;
    const server = serverOf(
      "(q.url === '/print' ? print() : q.url === '/fork' && fork(), JSON.stringify({ written, started, failed }))",
      before,
    ).replace("process.on('SIGTERM', () => process.exit(0));", '');
    const hostile = version({ projectId: 'hostile' }, server);
    await bench.services.start(hostile);
    const said = async () => JSON.parse((await bench.ask(hostile, '/said')).text);
    const memory = process.memoryUsage().rss;
    await bench.ask(hostile, '/print');
    await eventually(async () => (await said()).written === 1_000, { withinMs: 240_000 });
    await sleep(1_500);
    const lines = await bench.services.readLog('hostile', { limit: 1_000 });
    expect(lines.reduce((sum, { line }) => sum + line.length, 0)).toBeLessThan(8_000_000);
    expect(process.memoryUsage().rss - memory).toBeLessThan(0.6e9);
    await bench.ask(hostile, '/fork');
    const { started } = await eventually(async () => {
      const now = await said();
      return now.failed > 0 && now;
    });
    expect(started).toBeLessThan(2_048);
    const began = Date.now();
    await bench.services.remove('hostile');
    expect(Date.now() - began).toBeGreaterThan(4_500);
    expect(Date.now() - began).toBeLessThan(60_000);
    expect(leftOf(hostile)).toEqual([]);
  }, 600_000);

  describe('through the platform', () => {
    const platform = usePlatform(missingContainerEngine() ? {} : engineEnvironment());
    test('an Express example is built as an image, answers at its project’s address, and again after a kill', async () => {
      const gitUrl = await exampleRepository('express-npm', platform.folder);
      const record = await platform.veren.deploy({
        projectId: 'express',
        gitUrl,
        frontend: false,
        backend: { nodeVersion: 20 },
      });
      expect([record.status, record.error]).toEqual(['succeeded', undefined]);
      expect(record.builds.backend?.artifact).toMatchObject({ kind: 'image' });
      expect(record.service).toMatchObject({ state: 'running', isProduction: true });
      const { status, body } = await askHost(productionUrl(record), '/');
      expect(status).toBe(200);
      await platform.restart();
      expect(leftOf(record)).toEqual([]);
      expect(await askHost(productionUrl(record), '/')).toEqual({ status, body });
    }, 600_000);
  });
});
