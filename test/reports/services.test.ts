import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { askHost, deployServer, productionUrl } from '../support/deployServer.ts';
import { eventually } from '../support/eventually.ts';
import { exampleRepository, HOST_NODE, usePlatform } from '../support/veren.ts';

const LISTEN = '.listen(process.env.PORT);\n';
/** Says its version and a variable. */
const saying = (text: string) =>
  `require('node:http').createServer((q, r) => r.end('${text} ' + process.env.GREETING))${LISTEN}`;

describe('backends on a machine with Node and git only', () => {
  const platform = usePlatform({ VEREN_CONTAINER_ENGINE: 'none' });

  const deploy = (projectId: string, server: string, more: Parameters<typeof deployServer>[3] = {}) =>
    deployServer(platform, projectId, server, more);
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${platform.veren.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${platform.veren.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const settings = (projectId: string, patch: object) => call('PATCH', `/projects/${projectId}`, patch);
  const released = async (projectId: string) => {
    const { releases } = (await (await call('GET', `/projects/${projectId}/releases`)).json()) as {
      releases: { deploymentId: string }[];
    };
    return platform.veren.client.getDeployment(releases[0]!.deploymentId);
  };
  const urlOf = async (projectId: string) => productionUrl(await released(projectId));

  test('a site and its backend are one working pair at one address', async () => {
    const gitUrl = await exampleRepository('fullstack', platform.folder);
    const record = await platform.veren.deploy({ projectId: 'pair', gitUrl, backend: HOST_NODE, frontend: HOST_NODE });
    expect([record.status, record.error]).toEqual(['succeeded', undefined]);
    expect(record.service).toMatchObject({ state: 'running', isProduction: true });
    const url = productionUrl(record);
    expect((await askHost(url, '/')).body).toContain('<div id="root">');
    expect(await askHost(url, '/api/entries')).toEqual({ status: 200, body: '[]' });
    const posted = await fetch(new URL('/api/entries', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Ada' }),
    });
    expect(posted.status).toBe(201);
    expect((await askHost(url, '/api/entries')).body).toContain('Ada');
  }, 300_000);

  test('rollback switches the page, the backend and its variables; an unhealthy one changes nothing', async () => {
    await call('PUT', '/projects/both', {});
    await call('PUT', '/projects/both/variables/GREETING', { value: 'hello', seenBy: ['run'] });
    const first = await deploy('both', saying('first'), { page: '<h1>first</h1>' });
    expect([first.status, first.error]).toEqual(['succeeded', undefined]);
    await call('PUT', '/projects/both/variables/GREETING', { value: 'good day', seenBy: ['run'] });
    const second = await deploy('both', saying('second'), { page: '<h1>second</h1>' });
    const url = productionUrl(second);
    const seen = async () => [(await askHost(url, '/')).body, (await askHost(url, '/api')).body];
    expect(await seen()).toEqual(['<h1>second</h1>', 'second good day']);

    await settings('both', { service: { healthSeconds: 2 } });
    const third = await deploy('both', "console.log('no database'); process.exit(1)", { page: '<h1>third</h1>' });
    expect(third).toMatchObject({
      status: 'failed',
      outcome: 'none',
      error: { code: 'SERVICE_EXITED', lastLines: ['no database'] },
      builds: { frontend: { status: 'canceled' }, backend: { status: 'failed' } },
    });
    expect(await seen()).toEqual(['<h1>second</h1>', 'second good day']);

    expect((await call('POST', '/projects/both/rollback', {})).status).toBe(202);
    await eventually(async () => (await askHost(url, '/')).body === '<h1>first</h1>');
    expect(await seen()).toEqual(['<h1>first</h1>', 'first hello']);
  }, 300_000);

  test('the whole host is the backend’s where there is no site: methods, streams, uploads, WebSockets, its log', async () => {
    const server = `const { createHash } = require('node:crypto');
const server = require('node:http').createServer((q, r) => {
  if (q.url === '/stream') { r.write('one'); setTimeout(() => r.end('two'), 300); return; }
  if (q.url === '/log') { console.log('asked', JSON.stringify(q.headers)); return r.end(); }
  if (q.url === '/slow') return;
  const hash = createHash('sha256');
  q.on('data', (part) => hash.update(part)).on('end', () => r.end(q.method + ' ' + hash.digest('hex')));
});
server.on('upgrade', (q, socket) => { socket.write('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: echo\\r\\nconnection: upgrade\\r\\n\\r\\n'); socket.pipe(socket); });
server${LISTEN}`;
    await call('PUT', '/projects/alone', { service: { timeoutSeconds: 5, kind: 'always-on' } });
    const record = await deploy('alone', server);
    expect([record.status, record.error]).toEqual(['succeeded', undefined]);
    const url = productionUrl(record);
    const { port, host } = new URL(url);
    const body = Buffer.alloc(20_000_000, 'x');
    const { createHash } = await import('node:crypto');
    const put = await fetch(new URL('/anything', url), { method: 'PUT', body });
    expect(await put.text()).toBe(`PUT ${createHash('sha256').update(body).digest('hex')}`);
    const parts: string[] = [];
    const began = Date.now();
    let firstAt = 0;
    for await (const part of (await fetch(new URL('/stream', url))).body!) {
      firstAt ||= Date.now() - began;
      parts.push(Buffer.from(part).toString());
    }
    expect(parts.join('')).toBe('onetwo');
    expect(firstAt).toBeLessThan(Date.now() - began - 100);
    const echoed = await new Promise<string>((resolve, reject) => {
      const asked = request({
        port,
        host: '127.0.0.1',
        path: '/ws',
        headers: { host, upgrade: 'echo', connection: 'upgrade' },
      });
      asked.on('upgrade', (_, socket) => {
        socket.write('hello');
        socket.once('data', (data) => {
          resolve(String(data));
          socket.destroy();
        });
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(echoed).toBe('hello');
    expect((await askHost(url, '/slow')).status).toBe(504);

    const forged = { 'x-veren-cron': 'yes', 'x-forwarded-for': '8.8.8.8' };
    await fetch(new URL('/log', url), { headers: forged });
    const log = async (query: string) => (await call('GET', `/projects/alone/logs${query}`)).text();
    const line = await eventually(async () =>
      (await log('?stream=stdout')).split('\n').find((text) => text.includes('asked')),
    );
    expect(line).not.toContain('x-veren-cron');
    expect(line).not.toContain('8.8.8.8');
    expect(await log('?stream=stderr')).toBe('');
    expect(await log(`?deployment=${record.deploymentId}`)).toContain('asked');
    expect(await log('?since=2099-01-01T00:00:00Z')).toBe('');
    const followed = await call('GET', '/projects/alone/logs?follow=true&after=0');
    const reader = followed.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toMatch(/^id: \d+\nevent: log\ndata: \{/);
    await reader.cancel();
    const { counts } = (await (await call('GET', '/projects/alone/service')).json()) as {
      counts: { requests: number; errors: number };
    };
    expect(counts.requests).toBeGreaterThanOrEqual(4);
    expect(counts.errors).toBe(1);
  }, 300_000);

  test('a preview has a backend of its own; schedules are checked; no request is lost while releases change', async () => {
    const one = await deploy('calm', saying('one'));
    const two = await deploy('calm', saying('two'));
    const preview = await deploy('calm', saying('preview'), { environment: 'preview' });
    expect([one, two, preview].map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const url = productionUrl(two);
    expect((await askHost(url, '/')).body).toMatch(/^two/);
    const own = preview.service?.deploymentUrl ?? '';
    expect((await askHost(own, '/')).body).toMatch(/^preview/);
    expect(preview.service?.isProduction).toBe(false);

    const wrong = await settings('calm', { crons: [{ schedule: '61 * * * *', path: '/tick' }] });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('crons.0.schedule')]);
    expect((await settings('calm', { crons: [{ schedule: '0 0 31 2 *', path: '/tick' }] })).status).toBe(400);
    expect((await settings('calm', { crons: [{ schedule: '*/5 * * * *', path: '/tick' }] })).status).toBe(200);

    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const answers: { status: number; body: string }[] = [];
    let going = true;
    const until = Date.now() + 240_000;
    const visitor = async () => {
      while (going && Date.now() < until) {
        answers.push(await askHost(url, '/', agent).catch((error: Error) => ({ status: 0, body: error.message })));
        await new Promise((r) => setTimeout(r, 20));
      }
    };
    const visitors = Array.from({ length: 4 }, visitor);
    for (let i = 0; i < 25; i++) {
      for (const { deploymentId } of [one, two])
        expect((await call('POST', `/deployments/${deploymentId}/promote`, {})).status).toBe(202);
    }
    await new Promise((r) => setTimeout(r, 1_000));
    going = false;
    await Promise.all(visitors);
    agent.destroy();
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter(({ status, body }) => status !== 200 || !/^(one|two) /.test(body))).toEqual([]);
  }, 600_000);

  test('after a crash of the platform the pair is still there, woken by a request', async () => {
    const url = await urlOf('both');
    await platform.restart();
    // What is always on comes by itself, and the start of the platform does not end it again.
    await eventually(async () => (await released('alone')).service?.state === 'running');
    expect((await released('alone')).service?.crashes ?? 0).toBe(0);
    expect(await askHost(url, '/')).toEqual({ status: 200, body: '<h1>first</h1>' });
    expect(await askHost(url, '/api')).toEqual({ status: 200, body: 'first hello' });
    // The whole host of another project is not opened by a foreign name.
    const { port } = new URL(url);
    const refused = await new Promise<string>((resolve) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1' }, () =>
        socket.write('GET /api HTTP/1.1\r\nhost: evil.example\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      );
      socket.on('data', (data) => resolve(String(data)));
      socket.on('error', () => resolve(''));
    });
    expect(refused).toMatch(/^HTTP\/1\.1 404/);
    expect((await call('DELETE', '/projects/both?confirm=both')).status).toBe(202);
    await eventually(async () => (await askHost(url, '/api')).status !== 200);
  }, 300_000);
});
