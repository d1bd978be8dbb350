import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { addAdapterLayer } from '../../../builder-images/build-image-backend/utils/adapter-layer.ts';
import { annotateLayout } from '../../../builder-images/build-image-backend/utils/layout.ts';

const sha = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const TAR = Buffer.from('the bytes of a tar archive');
const LAYER = gzipSync(TAR);
const CONFIG = { architecture: 'amd64', config: { Cmd: ['node'] }, rootfs: { type: 'layers', diff_ids: [sha('a')] } };

let folder: string;
let layout: string;
const blob = (digest: string) => join(layout, 'blobs', ...(digest.split(':') as [string, string]));
const write = (value: object) => {
  const text = JSON.stringify(value);
  writeFileSync(blob(sha(text)), text);
  return { digest: sha(text), size: text.length };
};
const read = () => {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
  return { index, manifest, config: JSON.parse(readFileSync(blob(manifest.config.digest), 'utf8')) };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-layer-'));
  layout = join(folder, 'image');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(folder, 'layer.tar.gz'), LAYER);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeImage(vendor: 'docker' | 'oci', config: object = CONFIG): void {
  const [manifestType, configType, layerType] =
    vendor === 'docker'
      ? ['distribution.manifest.v2+json', 'container.image.v1+json', 'image.rootfs.diff.tar.gzip']
      : ['image.manifest.v1+json', 'image.config.v1+json', 'image.layer.v1.tar+gzip'];
  const type = (name = '') => `application/vnd.${vendor === 'docker' ? 'docker' : 'oci'}.${name}`;
  const manifest = write({
    schemaVersion: 2,
    mediaType: type(manifestType),
    config: { mediaType: type(configType), ...write(config) },
    layers: [{ mediaType: type(layerType), digest: sha('packed a'), size: 8 }],
  });
  const descriptor = { mediaType: type(manifestType), ...manifest };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
}
const add = () => addAdapterLayer(layout, join(folder, 'layer.tar.gz'));

test.each(['docker', 'oci'] as const)(
  'an image of kind %s gets one more layer, and is still one of its kind',
  async (vendor) => {
    makeImage(vendor);
    await add();
    const { index, manifest, config } = read();
    expect(manifest.layers).toHaveLength(2);
    expect(manifest.layers[1]).toMatchObject({ digest: sha(LAYER), size: LAYER.length });
    expect(manifest.layers[1].mediaType).toBe(manifest.layers[0].mediaType);
    // The order of layers and of what they are when unpacked is the same, or no engine takes the image.
    expect(config.rootfs.diff_ids).toEqual([sha('a'), sha(TAR)]);
    expect(config.config).toEqual(CONFIG.config);
    expect(readFileSync(blob(sha(LAYER)))).toEqual(LAYER);
    for (const { digest, size } of [index.manifests[0], manifest.config]) {
      const bytes = readFileSync(blob(digest));
      expect([sha(bytes), bytes.length]).toEqual([digest, size]);
    }
  },
);

test('a history is continued', async () => {
  makeImage('oci', { ...CONFIG, history: [{ created_by: 'RUN x' }] });
  await add();
  expect(read().config.history).toEqual([{ created_by: 'RUN x' }, { created_by: expect.stringContaining('veren') }]);
});

test('an image that has it stays as it is, also when it has been annotated', async () => {
  makeImage('docker');
  await add();
  const first = await annotateLayout(layout, { a: '1' });
  await add();
  expect(await annotateLayout(layout, { a: '1' })).toEqual(first);
});

test('one that has it below a layer of its own, which could have replaced it, gets it on top', async () => {
  makeImage('oci');
  await add();
  const { index, manifest } = read();
  const above = { ...manifest.layers[0], digest: sha('packed b') };
  const made = write({ ...manifest, layers: [...manifest.layers, above] });
  const manifests = [{ ...index.manifests[0], ...made }];
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ ...index, manifests }));
  await add();
  const digests = read().manifest.layers.map((layer: { digest: string }) => layer.digest);
  expect(digests).toEqual([sha('packed a'), sha(LAYER), sha('packed b'), sha(LAYER)]);
});
