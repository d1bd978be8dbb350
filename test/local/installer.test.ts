import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearToolchains } from '../../local/platform/leftovers.ts';
import { ensureToolchain } from '../../local/toolchains.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-installer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A Node with an npm beside it, whose "npm" is a shell script. */
function hostWith(npm: string) {
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'lib/node_modules/npm/bin'), { recursive: true });
  writeFileSync(join(folder, 'bin/node'), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(folder, 'bin/node'), 0o755);
  writeFileSync(join(folder, 'lib/node_modules/npm/bin/npm-cli.js'), '');
  return { node: join(folder, 'bin/node'), version: '1.0.0' };
}
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !what(); i++) await sleep(50);
  expect(what()).toBe(true);
}

test('install scripts of a toolchain see how to reach the registry, and nothing else of the platform’s environment', async () => {
  const host = hostWith(`env > ${folder}/seen; echo "npm error no such thing"; exit 1`);
  process.env.VEREN_TOKEN = 'token-of-the-platform';
  process.env.npm_config_registry = 'http://registry.example/';
  try {
    await expect(ensureToolchain(24, join(folder, 'data'), { host })).rejects.toMatchObject({
      code: 'TOOLCHAIN_UNAVAILABLE',
      message: expect.stringContaining('no such thing'),
    });
  } finally {
    delete process.env.VEREN_TOKEN;
    delete process.env.npm_config_registry;
  }
  const seen = readFileSync(join(folder, 'seen'), 'utf8');
  expect(seen).toContain('npm_config_registry=http://registry.example/');
  expect(seen).not.toContain('token-of-the-platform');
  expect(seen).not.toMatch(/^(?:VEREN|AWS|KAFKA|JEST)_/m);
  expect(readdirSync(join(folder, 'data/toolchains'))).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a platform that is ended by %s leaves no npm, and the next start no half toolchain',
  async (signal) => {
    const pids = join(folder, 'pids');
    const { node, version } = hostWith(`sleep 1000 & echo $! $$ > ${pids}.new; mv ${pids}.new ${pids}; wait`);
    const module = resolve(__dirname, '../../local/toolchains.ts');
    const script = `import { ensureToolchain } from ${JSON.stringify(module)};
      process.on('SIGTERM', () => process.exit(0));
      await ensureToolchain(24, ${JSON.stringify(join(folder, 'data'))}, { host: ${JSON.stringify({ node, version })} });`;
    writeFileSync(join(folder, 'platform.mts'), script);
    const platform = spawn(process.execPath, ['--import', 'tsx', join(folder, 'platform.mts')], {
      cwd: resolve(__dirname, '../..'),
      stdio: 'inherit',
    });
    await until(() => existsSync(pids));
    const started = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
    platform.kill(signal);
    await until(() => !started.some(isAlive));
    await until(() => platform.exitCode !== null || platform.signalCode !== null);
    const toolchains = join(folder, 'data/toolchains');
    if (signal === 'SIGKILL') expect(readdirSync(toolchains).join()).toMatch(/\.new-/);
    else expect(readdirSync(toolchains).join()).not.toMatch(/\.new-/);
    await clearToolchains(toolchains);
    expect(readdirSync(toolchains)).toEqual([]);
  },
  60_000,
);
