import type { Manifest } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import { completeCopy } from '../../../lambdas/releaser/completeCopy.ts';

const object = (key: string, path = 'index.html') => ({
  ...{ key, path, size: 1, sha256: 'a'.repeat(64), contentType: 'text/html', cacheControl: 'no-cache' },
});
const manifest = (over: Partial<Manifest> = {}): Manifest => ({
  ...{ v: 1, projectId: 'shop', deploymentId: 'd2', attempt: 1, commit: 'c', createdAt: '2026-11-28T00:00:00.000Z' },
  ...{ files: 1, bytes: 1, objects: [object(`${s3Keys.deploymentFiles('shop', 'd1')}index.html`)] },
  ...over,
});

/** A bucket with what a build has left as the manifest of shop's d2. */
function complete(written: unknown) {
  const copied: string[] = [];
  const puts: string[] = [];
  const body = Buffer.from(typeof written === 'string' ? written : JSON.stringify(written));
  const objects = {
    get: async () => ({ body, etag: '"1"' }),
    copy: async (from: string, to: string) => void copied.push(`${from} ${to}`),
    putIf: async (key: string) => {
      puts.push(key);
      return '"2"';
    },
  };
  return { run: () => completeCopy(objects as never, 'shop', 'd2'), copied, puts };
}

test('what an earlier deployment holds is copied, and the manifest says so', async () => {
  const { run, copied, puts } = complete(manifest());
  expect(await run()).toMatchObject({ complete: true, deploymentId: 'd2' });
  expect(copied).toEqual(['__deployments/shop/d1/files/index.html __deployments/shop/d2/files/index.html']);
  expect(puts).toEqual(['__deployments/shop/d2/manifest.json']);
});

test.each<[string, unknown]>([
  ['another deployment', manifest({ deploymentId: 'd9' })],
  ['another project', manifest({ projectId: 'blog' })],
  ['a text without end', manifest({ deploymentId: 'X!'.repeat(500) })],
  ['files of another project', manifest({ objects: [object('__deployments/blog/d1/files/index.html')] })],
  ['a secret of the platform', manifest({ objects: [object('__variables/shop/current.json')] })],
  [
    'a way out',
    manifest({ objects: [object(`${s3Keys.deploymentFiles('shop', 'd1')}a`, '../../../__projects/shop.json')] }),
  ],
  ['no JSON', '{'],
])('a manifest that names %s shows nothing', async (_what, written) => {
  const { run, copied, puts } = complete(written);
  expect(await run()).toBeNull();
  expect([copied, puts]).toEqual([[], []]);
});
