import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { cdkJson, ROOT } from '../lib/support/synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'veren-bin-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The app as the CDK CLI runs it, with nothing of AWS in the environment; Docker and the network are not to be found. */
function environment(stage: string, outdir: string, context = cdkJson().context) {
  return {
    PATH: join(process.execPath, '..'),
    HOME: folder,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, stage }),
    AWS_EC2_METADATA_DISABLED: 'true',
    HTTP_PROXY: 'http://127.0.0.1:1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  };
}
const tsx = [join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'bin/veren.ts'];

/** Every file of an assembly and the hash of what is in it. */
function digest(outdir: string): Record<string, string> {
  const files = readdirSync(outdir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  return Object.fromEntries(
    files
      .map((f) => join(f.parentPath, f.name))
      .sort()
      .map((path) => [relative(outdir, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

test('two synths are identical, functions included', async () => {
  // At once, since they differ in nothing but where they write; the stage has no builder images, whose scripts would collide.
  const [first, second] = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const outdir = join(folder, name);
      await promisify(execFile)(process.execPath, tsx, { cwd: ROOT, env: environment('local', outdir) });
      return digest(outdir);
    }),
  );
  expect(Object.keys(first ?? {}).filter((name) => name.endsWith('index.mjs')).length).toBeGreaterThanOrEqual(8);
  expect(second).toEqual(first);
}, 400_000);

test('a faulty configuration is answered with sentences, and no stack trace', () => {
  const { context } = cdkJson();
  context.stages.local.limits.global = 0;
  const { status, stderr } = spawnSync(process.execPath, tsx, {
    cwd: ROOT,
    env: environment('local', join(folder, 'faulty'), context),
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('stages.local.limits.global is 0; allowed is a whole number from 1 to 1000.');
  expect(stderr).not.toMatch(/^\s+at /m);
}, 60_000);
