import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { LayerCache } from '../../../builder-images/build-image-backend/utils/layer-cache.ts';
import { layersKey } from '../../../builder-images/build-image-backend/utils/layers-key.ts';
import { readIndex } from '../../../builder-images/shared/cache/entries.ts';
import { builderObjects } from '../../../builder-images/shared/objects.ts';
import { createSandbox } from '../../../builder-images/shared/sandbox.ts';
import type { CacheUse } from '../../../contract/lanes.ts';
import { s3Keys } from '../../../contract/names.ts';
import { useWorld } from '../bundle.ts';
import { BUCKET, deploymentId } from '../harness.ts';

/** With the credentials that a build of the backend gets, against the laptop's S3. */
const world = useWorld();
let builds = 0;

function build(projectId: string, use: CacheUse = 'use') {
  const work = join(world().dir, `build-${++builds}`);
  mkdirSync(join(work, 'control'), { recursive: true });
  const job = { projectId, deploymentId: deploymentId(), url: 'https://git.example/x', commit: 'c'.repeat(40) };
  const env = world().environment(job, 'backend') as Parameters<typeof builderObjects>[0] & Record<string, string>;
  const objects = builderObjects(env, env.AWS_ENDPOINT_URL_S3);
  const said: string[] = [];
  const cache = new LayerCache({
    objects,
    projectId,
    lane: 'production',
    use,
    deploymentId: job.deploymentId,
    work,
    sandbox: createSandbox({ maxProcesses: 100, cookie: 'x' }),
    say: (text) => void said.push(text),
    signal: new AbortController().signal,
  });
  const repository = async (key: string) => (await cache.open(key)).repository.slice('oci:'.length);
  return {
    objects,
    said,
    layers: async (key: string) => readdirSync(dirname(await repository(key))),
    /** What Kaniko does with a layer that it has not found. */
    make: async (key: string, layer: string, content: string) => {
      const folder = `${await repository(key)}:${layer}`;
      mkdirSync(join(folder, 'blobs'), { recursive: true });
      writeFileSync(join(folder, 'blobs/1'), content);
    },
    read: async (key: string, layer: string) =>
      readFileSync(join(`${await repository(key)}:${layer}`, 'blobs/1'), 'utf8'),
    save: (key: string, installRan: boolean) => cache.save(key, installRan, new AbortController().signal),
    entry: async () => (await readIndex(objects, s3Keys.cache(projectId, 'production'))).index?.entries.layers,
  };
}

async function kept(projectId: string): Promise<ReturnType<typeof build>> {
  const first = build(projectId);
  await first.make('k1', 'aa', 'layer of the installation');
  await first.save('k1', true);
  return first;
}

test('layers of one build are there for the next with the same key, and for no other', async () => {
  await kept('same');
  const next = build('same');
  expect(await next.read('k1', 'aa')).toBe('layer of the installation');
  expect(await build('same').layers('k2')).toEqual([]);
  expect(await build('other').layers('k1')).toEqual([]);
  expect(next.said).toEqual([expect.stringMatching(/^Layers of deployment [a-z0-9]+ \(production\) are at hand\.$/)]);
});

test('what came out of the cache is not sent again; what there was no use for is dropped, and made anew by the next', async () => {
  const first = await kept('again');
  const before = await first.entry();
  const second = build('again');
  await second.layers('k1');
  await second.save('k1', false);
  expect(await second.entry()).toEqual(before);

  // The base image has moved, say.
  const third = build('again');
  expect(await third.layers('k1')).toEqual(['layer:aa']);
  await third.save('k1', true);
  expect(await third.entry()).toBeUndefined();
  const fourth = build('again');
  await fourth.make('k1', 'bb', 'of a newer base');
  await fourth.save('k1', true);
  expect(await build('again').layers('k1')).toEqual(['layer:bb']);
  expect(await world().keys(`${s3Keys.cache('again', 'production')}layers`)).toHaveLength(1);
});

test('a deployment can drop them: it begins without, and what a build that began before it keeps does not come back', async () => {
  await kept('dropped');
  const before = build('dropped');
  expect(await before.layers('k1')).toEqual(['layer:aa']);
  const dropping = build('dropped', 'drop');
  expect(await dropping.layers('k1')).toEqual([]);
  expect(dropping.said).toEqual(['The caches of this project (production) are dropped, as the deployment asks for.']);
  expect(await world().keys(s3Keys.cache('dropped', 'production'))).toEqual(['index.json']);
  await before.make('k1', 'bb', 'made on what was dropped');
  await before.save('k1', true);
  expect(await build('dropped').layers('k1')).toEqual([]);
  await dropping.make('k1', 'cc', 'anew');
  await dropping.save('k1', true);
  expect(await build('dropped').layers('k1')).toEqual(['layer:cc']);
});

test.each([
  ['was changed', (key: string) => world().s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: 'evil' }))],
  ['is gone', async (key: string) => build('damaged').objects.remove([key])],
])('an archive that %s is dropped, and costs nothing but time', async (_, damage) => {
  const first = await kept('damaged');
  await damage((await first.entry())!.object);
  const next = build('damaged');
  expect(await next.layers('k1')).toEqual([]);
  expect(next.said).toEqual([expect.stringContaining('(layers) could not be used and is dropped')]);
  await next.save('k1', false);
  expect(await next.entry()).toBeUndefined();
});

test('the key changes with each file, link and name, and with nothing else', async () => {
  const make = async (files: Record<string, string>, link?: string) => {
    const folder = join(world().dir, `context-${++builds}`);
    mkdirSync(join(folder, 'manifests/a'), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'manifests', name), content);
    if (link) symlinkSync(link, join(folder, 'manifests/link'));
    return layersKey(['text'], folder, ['manifests']);
  };
  const one = await make({ 'package.json': '{}', 'a/package.json': '{}' }, 'a');
  expect(await make({ 'a/package.json': '{}', 'package.json': '{}' }, 'a')).toBe(one);
  const others = await Promise.all([
    make({ 'package.json': '{}', 'a/package.json': '{}' }, 'b'),
    make({ 'package.json': '{ }', 'a/package.json': '{}' }, 'a'),
    make({ 'package.json': '{}', 'a/package2.json': '{}' }, 'a'),
    make({ 'package.json': '{}' }, 'a'),
  ]);
  expect(new Set([one, ...others]).size).toBe(5);
});
