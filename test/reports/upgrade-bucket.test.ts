import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { DeploymentView } from '../../contract/api.ts';
import { DEFAULT_BUCKET, DEFAULT_REGION } from '../../contract/names.ts';
import { createCredentialStore } from '../../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../../local/s3/endpoint.ts';
import { cloneEarlierSite, earlierStage, unpackEarlierData } from '../support/earlierStage.ts';
import { eventually } from '../support/eventually.ts';
import { startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const { deployments } = earlierStage;
const RECORDED = earlierStage.records.first.gitUrl;

/** A laptop of d91163f whose last build was under way, with what that version has kept in its bucket. */
describe('the bucket of commit d91163f', () => {
  let veren: Veren;
  let data: string;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    data = unpackEarlierData(folder.path);
    const site = cloneEarlierSite(folder.path);
    const journal = join(data, 'journal.ndjson');
    const text = (await readFile(journal, 'utf8')).replaceAll(RECORDED, `file://${site}`);
    // The build that is begun again need not be slow.
    await writeFile(journal, text.replaceAll('"GREETING":"hello"', '"GREETING":"hello","SLOW_MS":"100"'));
    expect((await listKeys('__cache/')).length).toBeGreaterThan(1);
    veren = await startVeren(data, { VEREN_TOKEN: 'fixture-token' });
  }, 300_000);
  afterAll(() => folder.remove(), 60_000);

  const call = async (method: string, path: string) => {
    const response = await fetch(veren.url + path, { method, headers: { Authorization: 'Bearer fixture-token' } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const productionOf = (view: DeploymentView): string => {
    const artifact = view.builds.frontend?.artifact;
    if (artifact?.kind !== 'static') throw new Error('no site');
    return artifact.url;
  };
  const read = async (path = '/') => {
    const url = productionOf(await veren.client.getDeployment(deployments.second));
    const response = await fetch(new URL(path, url));
    return `${response.status} ${await response.text()}`;
  };

  /** Keys in the bucket of a platform that does not run. */
  async function listKeys(prefix: string): Promise<string[]> {
    const credentials = await createCredentialStore({ dataDir: data });
    const endpoint = await startS3Endpoint({ dataDir: data, credentials });
    const place = { region: DEFAULT_REGION, endpoint: endpoint.url, forcePathStyle: true };
    const s3 = new S3Client({ ...place, credentials: credentials.root });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: DEFAULT_BUCKET, Prefix: prefix }));
    s3.destroy();
    await endpoint.close();
    return Contents.map(({ Key }) => Key!);
  }

  test('its projects are adopted, what it has ended with is told and its logs are read', async () => {
    // By the first sweep.
    await eventually(async () => {
      const { body } = await call('GET', '/projects');
      return (body.items as { projectId: string }[]).map((p) => p.projectId).join() === 'api,shop';
    });
    for (const name of ['first', 'second', 'failed', 'backend', 'canceled'] as const) {
      const { status } = await veren.client.getDeployment(deployments[name]);
      expect([name, status]).toEqual([name, earlierStage.records[name].status]);
      const lines = (await veren.logs(deployments[name])).map(({ line }) => line);
      expect(lines).toEqual(earlierStage.logs[name].map(({ line }) => line));
    }
  });

  test('what was under way is built again, without the caches of the earlier version, and released', async () => {
    const view = await veren.finished(deployments.underway);
    expect([view.status, view.builds.frontend?.attempt]).toEqual(['succeeded', 2]);
    const lines = (await veren.logs(deployments.underway)).map(({ line }) => line);
    expect(lines.slice(lines.lastIndexOf('building slow with hello'))).toContain('there is no cache');
    await eventually(async () => (await read()).includes('<p>slow</p>'));
  }, 180_000);

  test('what it kept can be rolled back to, and is served whole', async () => {
    expect((await call('POST', '/projects/shop/rollback')).status).toBe(202);
    await eventually(async () => (await read()).includes('<p>second</p>'));
    expect(await read('/assets/app-BXl3k9aQ.js')).toContain('200 console.log("the same in every version");');
    expect((await call('POST', `/deployments/${deployments.first}/promote`)).status).toBe(202);
    await eventually(async () => (await read()).includes('<p>first</p>'));
    expect(await read('/assets/app-BXl3k9aQ.js')).toContain('200 ');
    expect((await call('POST', `/deployments/${deployments.failed}/promote`)).status).toBe(409);
    const { body } = await call('GET', '/projects/shop/releases');
    expect((body.releases as { deploymentId: string }[]).map((r) => r.deploymentId)).toEqual([
      deployments.first,
      deployments.second,
      deployments.underway,
      deployments.second,
    ]);
  }, 60_000);

  test('a deployment of this version keeps caches of its own, which the next one uses', async () => {
    const deploy = async () => {
      const view = await veren.deploy({ projectId: 'shop', ref: 'main', force: true, backend: false });
      expect(view.status).toBe('succeeded');
      return (await veren.logs(view.deploymentId)).map(({ line }) => line);
    };
    const restored = expect.stringMatching(/^Restored what "npm ci" made of the same lockfile in deployment/);
    expect(await deploy()).not.toContainEqual(restored);
    expect(await deploy()).toContainEqual(restored);
  }, 180_000);

  test('dropping the caches of a project drops those of the earlier version too', async () => {
    expect((await call('DELETE', '/projects/shop/cache')).status).toBeLessThan(300);
    expect(await veren.stop()).toBe(0);
    expect(await listKeys('__cache/shop/')).toEqual([]);
    expect(await listKeys('__records/')).toEqual(expect.arrayContaining([`__records/${deployments.first}.json`]));
  }, 60_000);
});
