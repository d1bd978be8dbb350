import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_LINES, type NodeMajor } from '../../contract/node-lines.ts';
import { ensureToolchain } from '../../local/toolchains.ts';

const HOST_MAJOR = Number.parseInt(process.versions.node, 10) as NodeMajor;
const OTHER: NodeMajor = HOST_MAJOR === 22 ? 24 : 22;
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'veren-toolchains-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function script(path: string, body: string) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

/** What `npm install node@… npm@…` leaves, with a node that only tells its version. */
function fakeInstall(version: string, counter = { runs: 0 }) {
  return async (prefix: string, packages: readonly string[]) => {
    counter.runs++;
    expect(packages).toEqual([`node@${OTHER}`, expect.stringMatching(/^npm@1[01]$/)]);
    await new Promise((done) => setTimeout(done, 100));
    script(join(prefix, 'node_modules/node/bin/node'), `echo ${version}`);
    for (const name of ['npm', 'npx']) script(join(prefix, `node_modules/npm/bin/${name}-cli.js`), 'true');
  };
}
const run = (binDir: string, command: string) =>
  execFileSync(join(binDir, command), ['-v'], { encoding: 'utf8' }).trim();
const host = { node: process.execPath, version: process.versions.node };
const none = async () => Promise.reject(new Error('must not be asked'));

const hasHostNpm = (() => {
  try {
    return lstatSync(join(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js')).isFile();
  } catch {
    return false;
  }
})();
const known = [18, 20, 22, 24].includes(HOST_MAJOR) && hasHostNpm;
(known ? test : test.skip)(
  `the host's own Node${known ? '' : ' (needs Node 18, 20, 22 or 24 with its npm)'}`,
  async () => {
    const { binDir, source } = await ensureToolchain(HOST_MAJOR, dataDir, { host, install: none });
    expect(source).toBe('host');
    expect(run(binDir, 'node')).toBe(process.version);
    expect(readdirSync(binDir).sort()).toEqual(['node', 'npm', 'npx']);
    expect(await ensureToolchain(HOST_MAJOR, dataDir, { host, install: none })).toEqual({ binDir, source });
  },
);

(known ? test : test.skip)('a host that has another npm gets the one of its Node line, once', async () => {
  const node = join(dataDir, 'host/bin/node');
  script(node, 'echo host');
  const npm = join(dataDir, 'host/lib/node_modules/npm');
  script(join(npm, 'bin/npm-cli.js'), 'echo 99.0.0');
  script(join(npm, 'bin/npx-cli.js'), 'true');
  writeFileSync(join(npm, 'package.json'), '{"version":"99.0.0"}');
  let runs = 0;
  const install = async (prefix: string, packages: readonly string[]) => {
    runs++;
    expect(packages).toEqual([`npm@${NODE_LINES[HOST_MAJOR].npm}`]);
    for (const name of ['npm', 'npx']) script(join(prefix, `node_modules/npm/bin/${name}-cli.js`), 'echo right');
  };
  const own = { node, version: process.versions.node };
  const [first] = await Promise.all([1, 2].map(() => ensureToolchain(HOST_MAJOR, dataDir, { host: own, install })));
  expect(first!.source).toBe('host');
  expect([run(first!.binDir, 'node'), run(first!.binDir, 'npm'), runs]).toEqual(['host', 'right', 1]);
  expect(await ensureToolchain(HOST_MAJOR, dataDir, { host: own, install: none })).toEqual(first);
  rmSync(join(dataDir, 'toolchains'), { recursive: true });
  const offline = await ensureToolchain(HOST_MAJOR, dataDir, { host: own, install: none });
  expect(run(offline.binDir, 'npm')).toBe('99.0.0');
});

test('another major is installed once, however many ask for it', async () => {
  const counter = { runs: 0 };
  const install = fakeInstall(`v${OTHER}.1.0`, counter);
  const asked = await Promise.all([1, 2, 3].map(() => ensureToolchain(OTHER, dataDir, { host, install })));
  expect(asked.map((toolchain) => toolchain.source)).toEqual(['npm', 'npm', 'npm']);
  expect(run(asked[0]!.binDir, 'node')).toBe(`v${OTHER}.1.0`);
  await ensureToolchain(OTHER, dataDir, { host, install });
  expect(counter.runs).toBe(1);
  expect(readdirSync(join(dataDir, 'toolchains'))).toEqual([`node-${OTHER}`]);
});

test('an installation that fails, or holds another Node, is an error with its reason and leaves nothing', async () => {
  const failing = async () =>
    Promise.reject(Object.assign(new Error('npm'), { stderr: 'x\nnpm error network down\n' }));
  await expect(ensureToolchain(OTHER, dataDir, { host, install: failing })).rejects.toMatchObject({
    code: 'TOOLCHAIN_UNAVAILABLE',
    message: expect.stringContaining('network down'),
  });
  await expect(ensureToolchain(OTHER, dataDir, { host, install: fakeInstall('v16.0.0') })).rejects.toMatchObject({
    code: 'TOOLCHAIN_UNAVAILABLE',
    message: expect.stringContaining('holds v16.0.0'),
  });
  expect(readdirSync(join(dataDir, 'toolchains'))).toEqual([]);
  await ensureToolchain(OTHER, dataDir, { host, install: fakeInstall(`v${OTHER}.1.0`) });
});

test('a lock that a dead process left is taken over', async () => {
  mkdirSync(join(dataDir, 'toolchains'));
  const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
  writeFileSync(join(dataDir, 'toolchains', `node-${OTHER}.lock`), dead);
  const told: string[] = [];
  const whileDownloading = async <T>(work: () => Promise<T>) => {
    told.push('begins');
    return work().finally(() => told.push('ended'));
  };
  const install = fakeInstall(`v${OTHER}.1.0`);
  const { source } = await ensureToolchain(OTHER, dataDir, { host, install, whileDownloading });
  expect(source).toBe('npm');
  // What is there is not downloaded, and nobody is told that it was.
  await ensureToolchain(OTHER, dataDir, { host, install: none, whileDownloading });
  expect(told).toEqual(['begins', 'ended']);
});
