import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkConfig, checkManifest } from '../../../../builder-images/build-image-backend/utils/own/manifest.ts';
import { ReceivedLayout } from '../../../../builder-images/build-image-backend/utils/own/receive-layout.ts';
import { VerenError } from '../../../../contract/errors.ts';

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

const layers = [Buffer.from('first layer'), Buffer.from('second layer')];
const configOf = (count: number) =>
  Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['x'] },
      rootfs: { type: 'layers', diff_ids: layers.slice(0, count).map(sha256) },
    }),
  );
const config = configOf(2);
const descriptor = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
const valid = () => ({
  schemaVersion: 2,
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config: descriptor(config, OCI_CONFIG) as Record<string, unknown>,
  layers: layers.map((l) => descriptor(l, OCI_LAYER)) as Record<string, unknown>[],
});
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'veren-layout-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const folder = () => join(dir, 'image');

async function receive(manifest: unknown, blobs: readonly Buffer[], maxBytes?: number) {
  const layout = await ReceivedLayout.open(folder(), bytesOf(manifest), maxBytes);
  try {
    for (const blob of blobs) for (let at = 0; at < blob.length; at += 4) await layout.write(blob.subarray(at, at + 4));
    await layout.complete();
  } finally {
    await layout.close();
  }
}

test('an image whose every byte is what it says', async () => {
  await receive(valid(), [config, ...layers]);
  const index = JSON.parse(readFileSync(join(folder(), 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  const manifest = JSON.parse(
    readFileSync(join(folder(), 'blobs/sha256', index.manifests[0]!.digest.slice(7)), 'utf8'),
  ) as Record<string, unknown>;
  expect(manifest).toEqual({ ...valid(), mediaType: 'application/vnd.oci.image.manifest.v1+json' });
  expect(readdirSync(join(folder(), 'blobs/sha256'))).toHaveLength(4);
  expect(readFileSync(join(folder(), 'oci-layout'), 'utf8')).toContain('1.0.0');
});

test('a layer that is there twice comes once', async () => {
  const twice = { ...valid(), layers: [valid().layers[0], valid().layers[0]] };
  await receive(twice, [config, layers[0]!]);
  expect(existsSync(join(folder(), 'index.json'))).toBe(true);
});

test('another project’s layer, named and not sent, is never part of an image', async () => {
  const foreign = { mediaType: OCI_LAYER, digest: sha256(Buffer.from('another project')), size: 15 };
  const manifest = { ...valid(), layers: [...valid().layers.slice(0, 1), foreign] };
  await expect(receive(manifest, [config, layers[0]!])).rejects.toThrow('parts of it are missing');
  rmSync(folder(), { recursive: true });
  await expect(receive(manifest, [config, layers[0]!, Buffer.alloc(15)])).rejects.toThrow('are other ones');
  expect(existsSync(join(folder(), 'index.json'))).toBe(false);
});

test.each<[string, (m: ReturnType<typeof valid>) => unknown]>([
  [
    'a layer at another place',
    (m) => ({
      ...m,
      layers: [
        { ...m.layers[0], mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: ['http://x'] },
      ],
    }),
  ],
  ['a layer of another kind', (m) => ({ ...m, layers: [{ ...m.layers[0], mediaType: 'text/plain' }] })],
  ['an index', (m) => ({ ...m, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })],
  ['a digest that is a path', (m) => ({ ...m, config: { ...m.config, digest: 'sha256:../../../etc/passwd' } })],
  ['another algorithm', (m) => ({ ...m, config: { ...m.config, digest: `sha512:${'0'.repeat(128)}` } })],
  ['a negative size', (m) => ({ ...m, config: { ...m.config, size: -1 } })],
  ['a size that is no number', (m) => ({ ...m, config: { ...m.config, size: '12' } })],
  [
    'a configuration that is a layer',
    (m) => ({ ...m, layers: [{ ...m.layers[0], digest: m.config.digest, size: m.config.size }] }),
  ],
  ['two sizes of one digest', (m) => ({ ...m, layers: [m.layers[0], { ...m.layers[0], size: 3 }] })],
  ['no layers', (m) => ({ ...m, layers: [] })],
  ['a thousand layers', (m) => ({ ...m, layers: Array(1_000).fill(m.layers[0]) })],
  ['a large configuration', (m) => ({ ...m, config: { ...m.config, size: 1e8 } })],
  ['nothing', () => null],
  ['a list', () => []],
])('refused: %s', async (_, change) => {
  await expect(ReceivedLayout.open(folder(), bytesOf(change(valid())))).rejects.toMatchObject({
    code: 'IMAGE_REFUSED',
  });
  expect(existsSync(folder())).toBe(false);
});

test('fields that nobody needs reach no registry', () => {
  const { manifest } = checkManifest(
    bytesOf({
      ...valid(),
      subject: { mediaType: OCI_LAYER, digest: sha256(config), size: 1 },
      annotations: { 'dev.veren.project': 'of-somebody-else' },
      layers: valid().layers.map((l) => ({ ...l, urls: ['https://x'], annotations: { a: 'b' }, data: 'eA==' })),
    }),
  );
  expect(JSON.stringify(manifest)).not.toMatch(/subject|annotations|urls|data"/);
});

test('too much: an image over the limit, more bytes than were announced, more blobs than were named', async () => {
  const huge = { ...valid(), layers: [{ ...valid().layers[0], size: 30 * 1024 ** 3 }] };
  await expect(receive(huge, [])).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  await expect(receive(valid(), [], 20)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  const layout = await ReceivedLayout.open(folder(), bytesOf(valid()));
  await expect(layout.write(Buffer.alloc(config.length + 1))).rejects.toThrow('more bytes than its manifest says');
  await layout.close();
  rmSync(folder(), { recursive: true });
  await expect(receive(valid(), [config, ...layers, Buffer.from('more')])).rejects.toThrow('more was sent');
});

test('a configuration that does not fit', () => {
  const { manifest } = checkManifest(bytesOf(valid()));
  expect(() => checkConfig(configOf(1), manifest)).toThrow('another number of layers');
  expect(() => checkConfig(Buffer.from('{'), manifest)).toThrow('no JSON');
  expect(() => checkConfig(bytesOf({ architecture: 'amd64', os: 'windows' }), manifest)).toThrow(
    'configuration is not',
  );
});

test('whatever a manifest holds: an answer of the table or a manifest of the fields that are known', () => {
  const leaf = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(sha256(config), OCI_LAYER, OCI_CONFIG, 2, 12, '../x', '__proto__'),
  );
  const anyDescriptor = fc.record({ mediaType: leaf, digest: leaf, size: leaf, urls: leaf }, { requiredKeys: [] });
  fc.assert(
    fc.property(
      fc.record(
        {
          schemaVersion: leaf,
          mediaType: leaf,
          config: fc.oneof(anyDescriptor, leaf),
          layers: fc.oneof(fc.array(anyDescriptor), leaf),
        },
        { requiredKeys: [] },
      ),
      (value) => {
        try {
          const { manifest, blobs } = checkManifest(bytesOf(value));
          expect(Object.keys(manifest).sort()).toEqual(['config', 'layers', 'mediaType', 'schemaVersion']);
          for (const { digest } of blobs) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(VerenError);
          expect((error as VerenError).code).toMatch(/^IMAGE_/);
        }
      },
    ),
    { numRuns: 500 },
  );
});
