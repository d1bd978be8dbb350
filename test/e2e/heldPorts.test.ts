import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

/**
 * A backend that wants the port of the platform, or of a site, as soon as it is free: an open dashboard or a command would
 * give it the token. Its daemon obeys no signal and is in a session of its own.
 */
const DAEMON = `
const http = require('node:http');
for (const port of process.argv.slice(2)) {
  const take = () => {
    const server = http.createServer((request, response) => response.end('taken'));
    server.on('error', () => setTimeout(take, 2));
    server.listen(Number(port), '127.0.0.1');
  };
  take();
}
process.on('SIGTERM', () => {});
`;
const SERVER = `
const { spawn } = require('node:child_process');
require('node:http').createServer((request, response) => {
  const ports = request.url.slice(1).split('-').filter(Boolean);
  const daemon = ports.length > 0 && spawn(process.execPath, ['daemon.js', ...ports], { detached: true, stdio: 'ignore' });
  response.end(String(daemon ? daemon.pid : process.pid));
}).listen(process.env.PORT);
process.on('SIGTERM', () => {});
`;

const isRoot = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
const portOf = (url: string) => new URL(url).port;
const isAlive = (pid: string) => existsSync(`/proc/${pid}`);

test('nobody else answers at the addresses of a platform that ends, and nothing of a repository is left of it', async () => {
  const folder = await temporaryFolder();
  // So that services have users of their own, where this is root.
  chmodSync(folder.path, 0o755);
  const [data, env] = [join(folder.path, 'data'), { VEREN_CONTAINER_ENGINE: 'none' }];
  const { path } = makeRepo(join(folder.path, 'thief'), {
    'package.json': JSON.stringify({ scripts: { start: 'node server.js' } }),
    'server.js': SERVER,
    'daemon.js': DAEMON,
  });
  let veren = await startVeren(data, env);
  const request = { projectId: 'thief', gitUrl: `file://${path}`, frontend: false, environment: 'production' } as const;
  const deployed = await veren.deploy({ ...request, backend: HOST_NODE });
  expect(deployed.status).toBe('succeeded');
  const site = `http://127.0.0.1:${JSON.parse(readFileSync(join(data, 'sites.json'), 'utf8')).thief}/`;
  // Killed, the platform holds no port any more: then the thief goes at once.
  for (const signal of ['SIGTERM', 'SIGHUP', ...(isRoot ? (['SIGKILL'] as const) : [])] as const) {
    const pids = [await (await fetch(site)).text()];
    pids.push(await (await fetch(`${site}${portOf(veren.url)}-${portOf(site)}`)).text());
    const answers = new Set<string>();
    let over = false;
    const watch = async (url: string) => {
      while (!over)
        answers.add(
          await fetch(url)
            .then((r) => r.text())
            .catch(() => 'nobody'),
        );
    };
    const watching = [watch(`${veren.url}/healthz`), watch(`${site}x`)];
    const code = await veren.stop(signal);
    if (signal !== 'SIGKILL') expect([signal, code]).toEqual([signal, 0]);
    await eventually(() => !pids.some(isAlive));
    over = true;
    await Promise.all(watching);
    if (signal !== 'SIGKILL') expect([signal, [...answers]]).not.toContainEqual(expect.arrayContaining(['taken']));
    veren = await startVeren(data, env);
    expect(await (await fetch(`${veren.url}/healthz`)).text()).toContain('ok');
  }
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 300_000);
