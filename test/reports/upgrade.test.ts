import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const FIXTURE = join(ROOT, 'test/fixtures/data-folder-d91163f');
/** The repository's address in the fixture. */
const RECORDED = 'file:///tmp/H-olddata/site';
const [FIRST, SECOND, FAILED] = [
  '01m8ghj4wy44m5pv0wrpz1xwgg',
  '01m8ghk6m0ce7t6hz8wn9pyt2q',
  '01m8ghka8kkzyhjy4tmxsbx7ge',
] as const;

describe('a data folder of commit d91163f', () => {
  let veren: Veren;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gitUrl: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    execFileSync('tar', ['-xzf', join(FIXTURE, 'data.tar.gz'), '-C', folder.path]);
    const site = join(folder.path, 'site');
    execFileSync('git', ['clone', '-q', '-b', 'main', join(FIXTURE, 'site.bundle'), site]);
    gitUrl = `file://${site}`;
    const journal = join(folder.path, 'data', 'journal.ndjson');
    await writeFile(journal, (await readFile(journal, 'utf8')).replaceAll(RECORDED, gitUrl));
    veren = await startVeren(join(folder.path, 'data'), { VEREN_TOKEN: 'fixture-token' });
  }, 300_000);
  afterAll(async () => {
    expect(await veren.stop()).toBe(0);
    await folder.remove();
  }, 180_000);

  const call = async (path: string, method = 'GET', body?: object) => {
    const response = await fetch(`${veren.url}${path}`, {
      method,
      headers: { Authorization: 'Bearer fixture-token', ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('its deployments are listed, and their logs are read', async () => {
    const { items } = await veren.client.listDeployments({ projectId: 'old' });
    expect(items.map((r) => [r.deploymentId, r.status])).toEqual([
      [FAILED, 'failed'],
      [SECOND, 'succeeded'],
      [FIRST, 'succeeded'],
    ]);
    expect(items[0]!.error?.code).toBe('REF_NOT_FOUND');
    for (const id of [FIRST, SECOND]) expect((await veren.logs(id)).map((l) => l.line).join('\n')).not.toBe('');
    expect(await veren.logs(FAILED)).toEqual([]);
  });

  test('its project has a document, with what is live', async () => {
    const { status, body } = await call('/projects/old');
    expect([status, body]).toMatchObject([
      200,
      { settings: { gitUrl }, release: { deploymentId: SECOND, kind: 'automatic', by: 'veren' } },
    ]);
    expect((await call('/projects')).body).toMatchObject({ items: [{ projectId: 'old' }] });
  });

  test('its site is served as it was', async () => {
    const { artifact } = (await veren.client.getDeployment(SECOND)).builds.frontend!;
    if (artifact?.kind !== 'static') throw new Error('no site');
    expect(await (await fetch(artifact.url)).text()).toContain('second');
  });

  test('an old deployment is deployed again, and a new one needs the project alone', async () => {
    const again = await call(`/deployments/${FIRST}/redeploy`, 'POST');
    expect(again.status).toBe(202);
    const first = await veren.finished(String(again.body.deploymentId));
    expect([first.status, first.commit]).toEqual(['succeeded', (await veren.client.getDeployment(FIRST)).commit]);
    const next = await call('/deployments', 'POST', { projectId: 'old' });
    const end = await veren.finished(String(next.body.deploymentId));
    expect([end.status, end.gitUrl]).toEqual(['succeeded', gitUrl]);
  }, 180_000);

  test('it is deleted with what the earlier version has left', async () => {
    expect((await call('/projects/old?confirm=old', 'DELETE')).status).toBe(202);
    for (let i = 0; i < 100 && (await call('/projects/old')).status === 200; i++)
      await new Promise((resolve) => setTimeout(resolve, 300));
    const { status, body } = await call('/projects/old');
    expect([status, body.code]).toEqual([410, 'PROJECT_DELETED']);
    expect((await veren.client.listDeployments({ projectId: 'old' })).items).toEqual([]);
  }, 60_000);
});
