import { spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

const ROOT = resolve(__dirname, '../..');
const COMMAND = ['--import', './bin/tsx.mjs', 'bin/local.ts'];
const { PATH, HOME } = process.env;
afterAll(removeFolders);

test.each([[['start', '--foo']], [['start', '--data']], [['demo', '--once=maybe']], [['deploy']], [[]]])(
  '%j: what is wrong and how it is used, without a stack',
  (given) => {
    const { status, stderr } = spawnSync(process.execPath, [...COMMAND, ...given], { cwd: ROOT, encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('Usage:')]);
    expect(stderr).not.toMatch(/^\s+at /m);
  },
  60_000,
);

test('a reader that has seen enough ends the platform in order', async () => {
  const child = spawn(process.execPath, [...COMMAND, 'demo', '--data', join(temporaryFolder(), 'data')], {
    cwd: ROOT,
    env: { PATH, HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, wrong] = ['', ''];
  child.stderr.on('data', (chunk) => {
    wrong += chunk;
  });
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (said.includes('Deploying')) child.stdout.destroy();
  });
  const code = await new Promise((done) => child.once('exit', done));
  expect([code, wrong]).toEqual([130, '']);
}, 120_000);
