import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { s3Keys } from '../../../contract/names.ts';
import { dropCaches } from '../../../lambdas/shared/caches.ts';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { apiFixture } from '../../support/api.ts';
import { COMMIT, event, frontendPlan } from '../../support/events.ts';

const Bucket = 'veren-v2';
const dataDir = mkdtempSync(join(tmpdir(), 'veren-caches-'));
let endpoint: Endpoint;
let s3: S3Client;

beforeAll(async () => {
  const credentials = await createCredentialStore({ dataDir });
  endpoint = await startS3Endpoint({ dataDir, credentials, onError: (e) => console.error(e) });
  s3 = new S3Client({
    endpoint: endpoint.url,
    region: 'ap-south-1',
    forcePathStyle: true,
    credentials: { ...credentials.root },
  });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3?.destroy();
  await endpoint?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const put = (...keys: string[]) =>
  Promise.all(keys.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'four' }))));
const keys = async () => ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map((o) => o.Key);

/** An API with a project of ada's. */
async function withProject() {
  const api = await apiFixture({ dropCaches: dropCaches(s3, Bucket) });
  const request = { projectId: 'site', gitUrl: 'https://git.example/me/site.git' };
  const { deploymentId } = (await api.call('POST', '/deployments', request)).body;
  const analyze = (over: object) =>
    api.ports.store.fold(deploymentId, [
      event(10, { type: 'deployment.analyzed', plan: { ...frontendPlan(), ...over } }, deploymentId),
    ]);
  const redeploy = async (body?: unknown, headers?: Record<string, string>) => {
    const answer = await api.call('POST', `/deployments/${deploymentId}/redeploy`, body, headers ? { headers } : {});
    const job = answer.status === 202 ? await api.ports.queue.get('clone', answer.body.deploymentId) : null;
    return { ...answer, request: (job?.data as { request: object } | undefined)?.request };
  };
  return { api, request, analyze, redeploy };
}

describe('DELETE /projects/{id}/cache', () => {
  it('removes the caches of every lane, those of an earlier version too, and says what that was', async () => {
    const { api } = await withProject();
    const [production, preview] = [s3Keys.cache('site', 'production'), s3Keys.cache('site', 'preview')];
    await put(`${production}index.json`, `${production}install-1.tar`, `${production}layers-2.tar`);
    await put(`${preview}index.json`, `${preview}store-3.tar`, `${s3Keys.caches('site')}index.json`);
    const others = [s3Keys.cache('site-2', 'production'), s3Keys.site('site'), s3Keys.deployment('site', 'd')];
    await put(...others.map((prefix) => `${prefix}x`));
    const answer = await api.call('DELETE', '/projects/site/cache');
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        projectId: 'site',
        dropped: [
          { lane: 'production', archives: 2, bytes: 8 },
          { lane: 'preview', archives: 1, bytes: 4 },
        ],
      },
    ]);
    expect(await keys()).toEqual(others.map((prefix) => `${prefix}x`).sort());
    expect((await api.call('DELETE', '/projects/site/cache')).body).toEqual({ projectId: 'site', dropped: [] });
  });

  it('is for the owner: another one’s project is not told apart from none', async () => {
    const { api } = await withProject();
    const kept = `${s3Keys.cache('site', 'production')}index.json`;
    await put(kept);
    for (const [as, id] of [
      ['bob', 'site'],
      ['ada', 'nothing'],
    ] as const) {
      const answer = await api.call('DELETE', `/projects/${id}/cache`, undefined, { as });
      expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
    }
    expect((await api.call('DELETE', '/projects/site/cache', undefined, { as: null })).status).toBe(401);
    for (const id of ['a--b', '..%2Fx', 'A', 'a'.repeat(64)])
      expect((await api.call('DELETE', `/projects/${id}/cache`)).body.code).toBe('INVALID_REQUEST');
    expect(await keys()).toContain(kept);
  });
});

describe('a deployment and its caches', () => {
  it('is asked for with a field of its own', async () => {
    const { api, request } = await withProject();
    const { deploymentId } = (await api.call('POST', '/deployments', { ...request, cache: 'drop' })).body;
    const job = await api.ports.queue.get('clone', deploymentId);
    expect(job?.data).toMatchObject({ request: { cache: 'drop' } });
    for (const wrong of [{ cache: 'no' }, { cache: true }, { lane: 'production' }]) {
      const answer = await api.call('POST', '/deployments', { ...request, ...wrong });
      expect(answer.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: Object.keys(wrong)[0] }] });
    }
  });

  it('stays in its lane when it is deployed again, and drops the caches only where that is asked for again', async () => {
    const { redeploy, analyze, request } = await withProject();
    await analyze({ lane: 'production' });
    expect((await redeploy()).request).toEqual({ ...request, ref: COMMIT, lane: 'production', force: true });
    // As clients send it that name a type for every request.
    expect((await redeploy(undefined, { 'Content-Type': 'application/json' })).request).toMatchObject({ ref: COMMIT });
    expect((await redeploy({})).request).toEqual({ ...request, ref: COMMIT, lane: 'production', force: true });
    expect((await redeploy({ cache: 'drop' })).request).toMatchObject({ cache: 'drop', lane: 'production' });
    expect((await redeploy({ cache: 1 })).body.code).toBe('INVALID_REQUEST');
    expect((await redeploy({ lane: 'production' })).body.code).toBe('INVALID_REQUEST');
    const form = await redeploy('{"cache":"drop"}', { 'Content-Type': 'application/x-www-form-urlencoded' });
    expect(form.body.code).toBe('MALFORMED_JSON');
  });

  it('of an earlier version was production’s where it had no ref', async () => {
    const { redeploy, analyze } = await withProject();
    await analyze({});
    expect((await redeploy()).request).toMatchObject({ ref: COMMIT, lane: 'production', force: true });
  });
});
