import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DeploymentView } from '../../../contract/api.ts';
import { makeRepo } from '../../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../../support/veren.ts';

jest.setTimeout(300_000);

/** A person waits for the end of Ctrl-C; with a container engine that is slow it may be a little more. */
const STOPPED_MS = 6_000;
const NO_ENGINE = { VEREN_CONTAINER_ENGINE: 'none' };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let veren: Veren;
beforeEach(async () => {
  folder = await temporaryFolder();
  chmodSync(folder.path, 0o755); // services have users of their own
});
afterEach(async () => {
  await veren.stop();
  await folder.remove();
});
const start = async () => {
  veren = await startVeren(join(folder.path, 'data'), NO_ENGINE);
};

async function until(deploymentId: string, isSo: (record: DeploymentView) => boolean): Promise<void> {
  for (;;) {
    const record = await veren.client.getDeployment(deploymentId);
    if (isSo(record)) return;
    expect(record.finishedAt).toBeUndefined();
    await new Promise((r) => setTimeout(r, 100));
  }
}

/** Stops it as Ctrl-C does; it must take no longer than a person waits, and complain of nothing. */
async function stopQuietly(): Promise<void> {
  const from = performance.now();
  expect(await veren.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(STOPPED_MS);
  expect(veren.logged.filter((line) => /\b(WARN|ERROR)\b/.test(line))).toEqual([]);
}

test('while a backend starts that does not answer to SIGTERM: it goes on at the next start', async () => {
  const gate = join(folder.path, 'gate');
  const { path } = makeRepo(join(folder.path, 'api'), {
    'package.json': JSON.stringify({ name: 'api', scripts: { start: 'node server.js' } }),
    'server.js': `process.on('SIGTERM', () => {});
setInterval(() => {
  if (globalThis.server || !require('fs').existsSync(${JSON.stringify(gate)})) return;
  globalThis.server = require('http').createServer((q, r) => r.end('up')).listen(process.env.PORT);
  process.removeAllListeners('SIGTERM');
}, 100);`,
  });
  await start();
  const request = { projectId: 'api', gitUrl: `file://${path}`, frontend: false, backend: HOST_NODE } as const;
  const { deploymentId } = await veren.client.createDeployment(request);
  await until(deploymentId, ({ builds }) => builds.backend?.stored === true);
  await stopQuietly();

  writeFileSync(gate, '');
  await start();
  expect(await veren.finished(deploymentId)).toMatchObject({ status: 'succeeded', service: { state: 'running' } });
  await stopQuietly();
});

describe('while a git host does not answer', () => {
  const sockets = new Set<Socket>();
  let host: Server;
  beforeAll((done) => {
    host = createServer((socket) => void sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1', done);
  });
  afterAll((done) => {
    for (const socket of sockets) socket.destroy();
    host.close(done);
  });

  test('the analysis is made again after the next start', async () => {
    await start();
    const { port } = host.address() as { port: number };
    const gitUrl = `http://127.0.0.1:${port}/site.git`;
    const { deploymentId } = await veren.client.createDeployment({ projectId: 'site', gitUrl });
    const isAsked = async (times: number) => {
      while (sockets.size < times) await new Promise((r) => setTimeout(r, 100));
    };
    await isAsked(1);
    await stopQuietly();
    const asked = sockets.size;
    await start();
    await isAsked(asked + 1);
    expect((await veren.client.getDeployment(deploymentId)).status).toBe('analyzing');
    await stopQuietly();
  });
});
