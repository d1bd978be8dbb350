import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { promoteDeployment, readManifest } from '../../builder-images/builder-image-frontend/utils/promote.ts';
import { liveManifest, publishSite } from '../../builder-images/builder-image-frontend/utils/publish.ts';
import type { Objects } from '../../builder-images/shared/object-calls.ts';
import { builderObjects } from '../../builder-images/shared/objects.ts';
import { PromotionSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import { type Files, World, writeFiles } from './harness.ts';

/** Publishing against the laptop's S3 endpoint, with a build's own rights, and with S3 failing at any call. */
const world = new World('');
beforeAll(async () => {
  await world.start();
});
afterAll(() => world.close());

/** ULIDs of now, so that the order is the time's. */
const TIME = ulid(Date.now()).slice(0, 10).toLowerCase();
const id = (n: number) => `${TIME}${String(n).padStart(16, '0')}`;

function objectsFor(projectId: string, deploymentId: string): Objects {
  const env = world.environment({ projectId, deploymentId, url: 'x', commit: 'x' });
  return builderObjects(env as Parameters<typeof builderObjects>[0], world.s3Url);
}

interface Deploy {
  readonly project: string;
  readonly n: number;
  /** Instead of the n-th. */
  readonly deploymentId?: string;
  readonly files: Files;
  readonly attempt?: number;
  /** Sees every call before it is made. */
  readonly before?: (call: string, key: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly now?: () => number;
  readonly hold?: boolean;
}

async function deploy(d: Deploy) {
  const folder = mkdtempSync(join(tmpdir(), 'veren-publish-'));
  const calls: string[] = [];
  try {
    writeFiles(folder, d.files);
    const deploymentId = d.deploymentId ?? id(d.n);
    const real = objectsFor(d.project, deploymentId);
    const platform = world.platformObjects();
    const note = async (call: string, key: string) => {
      calls.push(`${call} ${key}`);
      await d.before?.(call, key);
    };
    const noted = (real: Objects): Objects => ({
      ...real,
      put: async (key, ...rest) => {
        await note('put', key);
        return real.put(key, ...rest);
      },
      putIf: async (key, ...rest) => {
        await note('putIf', key);
        return real.putIf(key, ...rest);
      },
      copy: async (from, to) => {
        await note('copy', to);
        return real.copy(from, to);
      },
      remove: async (keys) => {
        for (const key of keys) await note('remove', key);
        return real.remove(keys);
      },
    });
    const artifact = await publishSite({
      objects: noted(real),
      base: await liveManifest(real, d.project),
      bucket: 'sites',
      projectId: d.project,
      deploymentId,
      attempt: d.attempt ?? 1,
      commit: 'c'.repeat(40),
      inspect: async (files) => ({ files, warnings: [] }),
      built: true,
      precompress: true,
      hold: d.hold ?? false,
      output: {
        root: folder,
        name: 'dist',
        inside: folder,
        holds: 'output',
        maxFiles: 100,
        maxBytes: 1e6,
        ownerUid: undefined,
      },
      signal: d.signal ?? new AbortController().signal,
      now: d.now ?? Date.now,
      say: () => undefined,
    });
    // What the platform does when it has released the deployment.
    const manifest = await readManifest(real, d.project, deploymentId);
    const { signal = new AbortController().signal, now = Date.now } = d;
    if (manifest && !d.hold)
      await promoteDeployment({ objects: noted(platform), projectId: d.project, manifest, now, signal });
    return { artifact, manifest, calls };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const promotion = async (project: string) =>
  PromotionSchema.parse(JSON.parse((await world.object(s3Keys.promotion(project))).text));
const page = async (project: string, path = 'index.html') => (await world.object(s3Keys.site(project) + path)).text;
const outputs = (project: string) => world.keys(s3Keys.site(project));
const site = (files: Record<string, string>): Files => files;

test('the second deployment sends what changed; pages are switched after assets, stale files go last', async () => {
  await deploy({
    project: 'two',
    n: 1,
    files: site({ 'index.html': 'a.js', 'sub/index.html': 's', 'a.js': 'a', 'same.css': 's' }),
  });
  const { calls } = await deploy({
    project: 'two',
    n: 2,
    files: site({ 'index.html': 'b.js', 'sub/index.html': 's2', 'b.js': 'b', 'same.css': 's' }),
  });
  const files = s3Keys.deploymentFiles('two', id(2));
  const at = s3Keys.site('two');
  expect(calls.filter((call) => call.startsWith('put ')).sort()).toEqual(
    ['b.js', 'index.html', 'sub/index.html'].map((path) => `put ${files}${path}`),
  );
  expect(calls.filter((call) => /^(copy|remove)/.test(call))).toEqual([
    `copy ${files}same.css`,
    `copy ${at}b.js`,
    `copy ${at}sub/index.html`,
    `copy ${at}index.html`,
    `remove ${at}a.js`,
  ]);
  expect(await outputs('two')).toEqual(['b.js', 'index.html', 'same.css', 'sub/index.html']);
  expect(await promotion('two')).toMatchObject({ live: id(2), pending: null });
});

test('headers are part of what is compared, and the immutable copy of the first deployment stays', async () => {
  await deploy({ project: 'keep', n: 1, files: site({ 'index.html': 'one' }) });
  await deploy({ project: 'keep', n: 2, files: site({ 'index.html': 'two' }) });
  expect((await world.object(`${s3Keys.deploymentFiles('keep', id(1))}index.html`)).text).toBe('one');
  expect(await page('keep')).toBe('two');
});

test('every copy is whole: what has not changed is copied from the deployment before, or sent where that is gone', async () => {
  const files = site({ 'index.html': 'one', 'a.js': 'a'.repeat(5_000) });
  const first = await deploy({ project: 'whole', n: 1, files });
  const prefix = (n: number) => s3Keys.deploymentFiles('whole', id(n));
  const second = await deploy({ project: 'whole', n: 2, files: { ...files, 'index.html': 'two' } });
  const variants = ['a.js', 'a.js.br', 'a.js.gz'];
  expect(second.calls.filter((call) => call.startsWith(`copy ${prefix(2)}`)).sort()).toEqual(
    variants.map((path) => `copy ${prefix(2)}${path}`),
  );
  expect(second.manifest).toMatchObject({ complete: true });
  expect(second.manifest?.objects.every(({ key, path }) => key === prefix(2) + path)).toBe(true);
  expect(await world.keys(prefix(2))).toEqual(await world.keys(prefix(1)));
  await world.platformObjects().remove(first.manifest!.objects.map(({ key }) => key));
  await world.platformObjects().remove(second.manifest!.objects.map(({ key }) => key));
  const third = await deploy({ project: 'whole', n: 3, files });
  expect(third.calls).toContain(`put ${prefix(3)}a.js`);
  expect(await world.keys(prefix(3))).toEqual([...variants, 'index.html']);
});

test('a build cannot write to what production serves, nor to another deployment', async () => {
  await deploy({ project: 'mine', n: 1, files: site({ 'index.html': 'one' }) });
  const builds = objectsFor('mine', id(2));
  const meta = { contentType: 'text/html', sha256: createHash('sha256').update('x').digest('hex') };
  for (const prefix of [s3Keys.site('mine'), s3Keys.deploymentFiles('mine', id(1))])
    await expect(builds.put(`${prefix}index.html`, Buffer.from('x'), meta)).rejects.toThrow('Access Denied');
  await expect(builds.putIf(s3Keys.promotion('mine'), '{}', null)).rejects.toThrow('Access Denied');
  expect(await page('mine')).toBe('one');
});

test('what is asked for is shown, older or newer, also where several are asked for at once', async () => {
  await deploy({ project: 'late', n: 5, files: site({ 'index.html': 'new' }) });
  await deploy({ project: 'late', n: 4, files: site({ 'index.html': 'old', 'old.js': 'o' }) });
  expect([await page('late'), await outputs('late')]).toEqual(['old', ['index.html', 'old.js']]);
  const both = (n: number) => deploy({ project: 'race', n, files: site({ 'index.html': `v${n}`, [`v${n}.js`]: 'x' }) });
  await Promise.all([both(3), both(2), both(4), both(1)]);
  const { live } = await promotion('race');
  const shown = [1, 2, 3, 4].find((n) => live === id(n));
  expect([await page('race'), await outputs('race')]).toEqual([`v${shown}`, ['index.html', `v${shown}.js`]]);
});

test('stopped before the switch: nothing is visible and nothing is left', async () => {
  await deploy({ project: 'stop', n: 1, files: site({ 'index.html': 'one', 'a.js': 'a' }) });
  const stop = new AbortController();
  const stopped = deploy({
    project: 'stop',
    n: 2,
    files: site({ 'index.html': 'two', 'b.js': 'b', 'c.js': 'c' }),
    signal: stop.signal,
    before: (call, key) => {
      if (call === 'copy' && key.endsWith('b.js')) stop.abort(new Error('stopped'));
    },
  });
  await expect(stopped).rejects.toThrow('stopped');
  expect(await outputs('stop')).toEqual(['a.js', 'index.html']);
  expect(await page('stop')).toBe('one');
  expect(await promotion('stop')).toMatchObject({ live: id(1), pending: null });
});

test('stopped after the switch has begun: it is finished', async () => {
  await deploy({ project: 'switch', n: 1, files: site({ 'index.html': 'one', 'a.html': 'one' }) });
  const stop = new AbortController();
  await deploy({
    project: 'switch',
    n: 2,
    files: site({ 'index.html': 'two', 'a.html': 'two' }),
    signal: stop.signal,
    before: (call, key) => {
      if (call === 'copy' && key.endsWith('a.html')) stop.abort(new Error('stopped'));
    },
  });
  expect([await page('switch'), await page('switch', 'a.html')]).toEqual(['two', 'two']);
});

/** The process dies at its k-th writing call of the promotion: nothing that it would do afterwards happens. */
async function dieAt(k: number, project: string, files: Files): Promise<boolean> {
  let writes = 0;
  const died = deploy({
    project,
    n: 2,
    files,
    before: (call, key) => {
      if (key.startsWith(s3Keys.deployment(project, id(2)))) return;
      if (++writes >= k)
        throw Object.assign(new Error(`died at ${call} ${key}`), { $metadata: { httpStatusCode: 400 } });
    },
  });
  return died.then(
    () => false,
    () => true,
  );
}

test('a promotion that died at any step is completed by its retry, or replaced by the next deployment', async () => {
  const first = site({ 'index.html': 'one', 'kept.css': 'k', 'changed.css': '1', 'gone.js': 'g' });
  const second = site({ 'index.html': 'two', 'kept.css': 'k', 'changed.css': '2', 'new.js': 'n' });
  const third = site({ 'index.html': 'three', 'kept.css': 'k', 'changed.css': '1', 'other.js': 'o' });
  const later = () => Date.now() + 120_000;
  let died = true;
  let steps = 0;
  for (let k = 1; died; k++) {
    for (const [next, attempt, files] of [
      [2, 2, second],
      [3, 1, third],
      [1.5, 1, third],
    ] as const) {
      const project = `die-${k}-${String(next).replace('.', '-')}`;
      await deploy({ project, n: 1, files: first });
      died = await dieAt(k, project, second);
      const n = next === 1.5 ? 2 : next;
      if (next === 1.5) {
        // A deployment older than the interrupted one, and newer than what was live.
        const older = `${TIME}${'0'.repeat(15)}1z`;
        await deploy({ project, n: 0, deploymentId: older, files: third, now: later });
      } else await deploy({ project, n, files, attempt, now: later });
      const record = await promotion(project);
      expect(record.pending).toBeNull();
      const shown = record.live === id(2) ? second : third;
      expect(await outputs(project)).toEqual(Object.keys(shown).sort());
      for (const [path, text] of Object.entries(shown)) expect(await page(project, path)).toBe(text);
    }
    steps = k;
  }
  expect(steps).toBeGreaterThan(5);
}, 180_000);

test('a promotion under way is waited for', async () => {
  await deploy({ project: 'wait', n: 1, files: site({ 'index.html': 'one' }) });
  let release: () => void = () => undefined;
  const held = new Promise<void>((done) => {
    release = done;
  });
  let reached: () => void = () => undefined;
  const inside = new Promise<void>((done) => {
    reached = done;
  });
  const slow = deploy({
    project: 'wait',
    n: 2,
    files: site({ 'index.html': 'two', 'b.js': 'b' }),
    before: async (call, key) => {
      if (call !== 'copy' || !key.endsWith('b.js')) return;
      reached();
      await held;
    },
  });
  await inside;
  const next = deploy({ project: 'wait', n: 3, files: site({ 'index.html': 'three' }) });
  await new Promise((done) => setTimeout(done, 400));
  expect(await page('wait')).toBe('one');
  release();
  await Promise.all([slow, next]);
  expect(await page('wait')).toBe('three');
  expect(await outputs('wait')).toEqual(['index.html']);
});

test('what nobody recorded is replaced at the first deployment', async () => {
  const root = world.platformObjects();
  await root.put(`${s3Keys.site('found')}old.html`, Buffer.from('old'), {
    contentType: 'text/html',
    sha256: createHash('sha256').update('old').digest('hex'),
  });
  await deploy({ project: 'found', n: 1, files: site({ 'index.html': 'new' }) });
  expect(await outputs('found')).toEqual(['index.html']);
});
