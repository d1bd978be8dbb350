import { s3Keys } from '../../../contract/names.ts';
import { apiFixture } from '../../support/api.ts';
import { event, frontendPlan } from '../../support/events.ts';

const artifact = { kind: 'static' as const, bucket: 'b', prefix: '__outputs/site/', files: 4, bytes: 71 };
const HOSTILE = '<img src=x onerror=alert(1)>.png';

/** A deployment that has published four files, one of them compressed twice. */
async function publishedSite(what: 'published' | 'stored' = 'published') {
  const api = await apiFixture();
  const { deploymentId } = (
    await api.call('POST', '/deployments', { projectId: 'site', gitUrl: 'https://git.example/me/site.git' })
  ).body;
  const at = 60 * 60 * 24 * 365 * 10;
  const fold = (...events: ReturnType<typeof event>[]) => api.ports.store.fold(deploymentId, events);
  await fold(event(at, { type: 'deployment.analyzed', plan: frontendPlan() }, deploymentId));
  const ended = { type: 'build.succeeded', target: 'frontend', attempt: 1, artifact, logLines: 0 } as const;
  if (what === 'published') await fold(event(at + 1, ended, deploymentId));
  const object = (path: string, size: number, more = {}) => ({
    ...{ path, size, sha256: 'a'.repeat(64), contentType: 'text/plain', cacheControl: 'no-cache' },
    ...{ key: s3Keys.deploymentFiles('site', deploymentId) + path, ...more },
  });
  const objects = [
    ...[object('index.html', 40), object('b/app.js', 20), object(HOSTILE, 10), object('a.txt', 1)],
    ...[object('b/app.js.br', 7, { encoding: 'br' }), object('b/app.js.gz', 9, { encoding: 'gzip' })],
  ];
  const manifest = { ...{ v: 1, projectId: 'site', deploymentId, attempt: 1 }, files: 4, bytes: 71, objects };
  api.s3.objects.set(s3Keys.deploymentManifest('site', deploymentId), JSON.stringify(manifest));
  const files = async (query = '', as?: string) =>
    api.call('GET', `/deployments/${deploymentId}/files${query}`, undefined, as ? { as } : {});
  return { api, deploymentId, files, fold, at };
}

describe('GET /deployments/{id}/files', () => {
  it('lists what was published by name, with sizes, and compressed forms as part of their file', async () => {
    const { files } = await publishedSite();
    const answer = await files();
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      items: [
        { path: HOSTILE, bytes: 10, contentType: 'text/plain' },
        { path: 'a.txt', bytes: 1, contentType: 'text/plain' },
        { path: 'b/app.js', bytes: 20, contentType: 'text/plain', compressedBytes: 7 },
        { path: 'index.html', bytes: 40, contentType: 'text/plain' },
      ],
      files: 4,
      bytes: 71,
    });
  });

  it('pages in both orders, and no file is on two pages', async () => {
    const { files } = await publishedSite();
    for (const [sort, all] of [
      ['path', [HOSTILE, 'a.txt', 'b/app.js', 'index.html']],
      ['size', ['index.html', 'b/app.js', HOSTILE, 'a.txt']],
    ] as const) {
      const seen: string[] = [];
      for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
        const { body } = await files(`?sort=${sort}&limit=3&cursor=${cursor}`);
        seen.push(...body.items.map(({ path }: { path: string }) => path));
        cursor = body.cursor;
      }
      expect(seen).toEqual(all);
    }
    for (const bad of ['?limit=0', '?limit=1001', '?limit=x', '?cursor=-1', '?sort=date', '?other=1'])
      expect((await files(bad)).body.code).toBe('INVALID_REQUEST');
  });

  it('shows the files of the deployment that an unchanged one shows', async () => {
    const { api, deploymentId } = await publishedSite();
    const again = (await api.call('POST', '/deployments', { projectId: 'site' })).body.deploymentId;
    const at = 60 * 60 * 24 * 365 * 11;
    await api.ports.store.fold(again, [
      event(at, { type: 'deployment.analyzed', plan: frontendPlan() }, again),
      event(at + 1, { type: 'deployment.unchanged', sameAs: deploymentId, artifacts: { frontend: artifact } }, again),
    ]);
    expect((await api.call('GET', `/deployments/${again}/files`)).body).toMatchObject({ files: 4, bytes: 71 });
  });

  it('is 404 for another owner, before the publication, after the removal, and where nothing can be read', async () => {
    const { api, deploymentId, files, fold, at } = await publishedSite();
    expect((await files('', 'bob')).body.code).toBe('NOT_FOUND');
    const { token } = (await api.call('POST', '/tokens', { name: 'ci', scope: 'read', projects: ['other'] })).body;
    expect((await files('', token)).body.code).toBe('NOT_FOUND');
    const manifest = s3Keys.deploymentManifest('site', deploymentId);
    const written = api.s3.objects.get(manifest)!;
    api.s3.objects.set(manifest, '{"objects":[{}]}');
    expect((await files()).body).toMatchObject({
      code: 'NOT_FOUND',
      detail: expect.stringContaining('site of deployment'),
    });
    api.s3.objects.set(manifest, written);
    await fold(event(at + 2, { type: 'deployment.expired', reason: 'age' }, deploymentId));
    expect((await files()).status).toBe(404);
    const stored = await publishedSite('stored');
    expect((await stored.files()).status).toBe(404);
  });
});
