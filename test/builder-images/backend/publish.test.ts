import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FoundImage } from '../../../builder-images/build-image-backend/utils/images.ts';
import { imageLabels, isSameDeployment } from '../../../builder-images/build-image-backend/utils/labels.ts';
import { annotateLayout } from '../../../builder-images/build-image-backend/utils/layout.ts';
import { pushImage } from '../../../builder-images/build-image-backend/utils/push.ts';
import { openRegistry, type Registry } from '../../../builder-images/build-image-backend/utils/registry.ts';
import { folderOfPrograms } from './harness.ts';

const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const OWN = imageLabels({
  GIT_REPOSITORY__URL: 'https://git.example/r',
  GIT_COMMIT: 'c'.repeat(40),
  PROJECT_ID: 'p',
  DEPLOYMENTID: 'd',
});
const MANIFEST = {
  schemaVersion: 2,
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: sha('config'), size: 100 },
  layers: [
    { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: sha('a'), size: 1_000 },
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: sha('b'), size: 2_000 },
  ],
};

let folder: string;
let layout: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-push-'));
  layout = join(folder, 'image');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const text = JSON.stringify(MANIFEST);
  writeFileSync(join(layout, 'blobs', ...(sha(text).split(':') as [string, string])), text);
  const descriptor = { mediaType: MANIFEST.mediaType, digest: sha(text), size: text.length };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('an image becomes an OCI one with annotations, its layers untouched', async () => {
  const made = await annotateLayout(layout, OWN);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const text = readFileSync(join(layout, 'blobs', ...(made.digest.split(':') as [string, string])), 'utf8');
  expect(sha(text)).toBe(made.digest);
  expect(index.manifests).toEqual([
    { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: made.digest, size: text.length },
  ]);
  const manifest = JSON.parse(text);
  expect(manifest.annotations).toEqual(OWN);
  expect(manifest.layers.map((l: { digest: string; mediaType: string }) => [l.digest, l.mediaType])).toEqual([
    [sha('a'), 'application/vnd.oci.image.layer.v1.tar+gzip'],
    [sha('b'), 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ]);
  expect(made.bytes).toBe(3_100);
});

describe('a tag exists exactly once', () => {
  /** A registry that has `images` one after the other, asked for the tag. */
  function registry(...images: (FoundImage | null)[]): Registry {
    return {
      insecure: false,
      find: async () => (images.length > 1 ? images.shift()! : images[0]!),
      authorization: async () => Buffer.from('AWS:s3cret').toString('base64'),
    };
  }
  const image = (digest: string): FoundImage => ({ digest, bytes: 1, labels: {} });
  function attempt(store: Registry, crane: string) {
    const programs = folderOfPrograms(join(folder, 'bin'), { crane: `#!/bin/sh\n${crane}\n` });
    return pushImage({
      crane: join(programs, 'crane'),
      registry: store,
      layout,
      uri: 'registry.example/users/images',
      tag: 'p-d',
      labels: OWN,
      raw: { AWS_SECRET_ACCESS_KEY: 'x', SSL_CERT_DIR: '/certs', PATH: '/bin' },
      control: folder,
      signal: new AbortController().signal,
      say: () => undefined,
    });
  }
  const own = async () => (await annotateLayout(layout, OWN)).digest;

  test('a new one is pushed with credentials in a file, and read back', async () => {
    const digest = await own();
    const record = `echo "$@" >${folder}/args; env >${folder}/env; cp "$DOCKER_CONFIG/config.json" ${folder}/seen`;
    expect(await attempt(registry(null, image(digest)), record)).toMatchObject({ digest });
    expect(readFileSync(join(folder, 'args'), 'utf8').trim()).toBe(`push ${layout} registry.example/users/images:p-d`);
    expect(JSON.parse(readFileSync(join(folder, 'seen'), 'utf8'))).toEqual({
      auths: { 'registry.example': { auth: Buffer.from('AWS:s3cret').toString('base64') } },
    });
    expect(readFileSync(join(folder, 'env'), 'utf8')).not.toMatch(/AWS_/);
    expect(existsSync(join(folder, 'push/config.json'))).toBe(false);
  });

  test('the same image under it is a success, and nothing is pushed', async () => {
    const digest = await own();
    expect(await attempt(registry(image(digest)), 'exit 9')).toMatchObject({ digest });
  });

  test('another image under it is an error', async () => {
    await expect(attempt(registry(image(sha('other'))), 'exit 9')).rejects.toMatchObject({ code: 'IMAGE_TAG_EXISTS' });
  });

  const REFUSED = `echo "Error: PUT https://registry.example: TAG_INVALID: The image tag 'p-d' already exists in the 'users/images' repository and cannot be overwritten because the tag is immutable." >&2; exit 1`;
  test('a push that lost a race is decided by the digest', async () => {
    const digest = await own();
    expect(await attempt(registry(null, image(digest)), REFUSED)).toMatchObject({ digest });
    await expect(attempt(registry(null, image(sha('other'))), REFUSED)).rejects.toMatchObject({
      code: 'IMAGE_TAG_EXISTS',
    });
  });

  test('a push that fails otherwise says why, and is tried again', async () => {
    const failing = attempt(
      registry(null),
      'echo "Error: Get https://registry.example/v2/: dial tcp: i/o timeout" >&2; exit 1',
    );
    await expect(failing).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringContaining('i/o timeout'),
    });
  });
});

describe('ECR', () => {
  let server: Server;
  let answer: (target: string, body: Record<string, unknown>) => { status: number; body: object };
  const asked: [string, Record<string, unknown>][] = [];
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      const target = String(request.headers['x-amz-target']).split('.').at(-1)!;
      asked.push([target, JSON.parse(text)]);
      const { status, body } = answer(target, JSON.parse(text));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const keys = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' };
  const open = (endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`) =>
    openRegistry(
      { ...keys, ECR_URI: '123456789012.dkr.ecr.ap-south-1.amazonaws.com/my-backend' },
      { endpoint, insecure: [] },
    );

  test('a tag that nothing has', async () => {
    answer = () => ({ status: 200, body: { images: [], failures: [{ failureCode: 'ImageNotFound' }] } });
    expect(await (await open()).find('p-d')).toBeNull();
    expect(asked.at(-1)).toEqual([
      'BatchGetImage',
      expect.objectContaining({
        registryId: '123456789012',
        repositoryName: 'my-backend',
        imageIds: [{ imageTag: 'p-d' }],
      }),
    ]);
  });

  test('an image tells by its annotations whose it is', async () => {
    const manifest = JSON.stringify({ ...MANIFEST, annotations: OWN });
    answer = () => ({
      status: 200,
      body: { images: [{ imageManifest: manifest, imageId: { imageDigest: sha(manifest) } }] },
    });
    const found = await (await open()).find('p-d');
    expect(found).toEqual({ digest: sha(manifest), bytes: 3_100, labels: OWN });
    expect(isSameDeployment(found!.labels, OWN)).toBe(true);
    expect(isSameDeployment(found!.labels, { ...OWN, 'dev.veren.deployment': 'e' })).toBe(false);
    expect(isSameDeployment({}, {})).toBe(false);
  });

  test('a repository that is not there is the platform’s fault', async () => {
    answer = () => ({ status: 400, body: { __type: 'RepositoryNotFoundException', message: 'no' } });
    await expect((await open()).find('p-d')).rejects.toMatchObject({ code: 'IMAGE_REPOSITORY_MISSING' });
  });

  test('rights that are missing, and an endpoint that is away, are named', async () => {
    answer = () => ({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } });
    await expect((await open()).find('p-d')).rejects.toThrow('AccessDeniedException');
    await expect((await open('http://127.0.0.1:9')).find('p-d')).rejects.toThrow(/registry .* cannot be reached/);
  });

  test('the authorization of a push', async () => {
    answer = () => ({ status: 200, body: { authorizationData: [{ authorizationToken: 'dG9rZW4=' }] } });
    expect(await (await open()).authorization()).toBe('dG9rZW4=');
  });
});

describe('any other registry', () => {
  test('is asked by the distribution API, on plain HTTP where it is on loopback', async () => {
    const manifest = JSON.stringify(MANIFEST);
    const server = createServer((request, response) => {
      if (request.url === '/v2/users/images/manifests/p-d') response.end(manifest);
      else response.writeHead(request.url?.endsWith('broken') ? 500 : 404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const keys = { AWS_REGION: 'r', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' };
    const registry = await openRegistry({ ...keys, ECR_URI: `${host}/users/images` }, { insecure: [] });
    expect(await registry.find('p-d')).toEqual({ digest: sha(manifest), bytes: 3_100, labels: {} });
    expect(await registry.find('other')).toBeNull();
    await expect(registry.find('broken')).rejects.toThrow('answered 500');
    expect(await registry.authorization()).toBeNull();
    await new Promise((resolve) => server.close(resolve));
    await expect(registry.find('p-d')).rejects.toThrow(`${host} cannot be reached`);
  });
});
