import type { VariableList } from '../../contract/project-variables.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import { askHost, deployServer, productionUrl } from '../support/deployServer.ts';
import { eventually } from '../support/eventually.ts';
import { usePlatform } from '../support/veren.ts';

/** Says its build and its variables; ends at once where GREETING is `broken`, with a secret among its last words. */
const serverOf = (build: string) => `
if (process.env.GREETING === 'broken') { console.log('no greeting, key ' + process.env.KEY); process.exit(3); }
require('node:http').createServer((q, r) => r.end('${build} ' + process.env.GREETING)).listen(process.env.PORT);
`;

describe('a changed variable', () => {
  const platform = usePlatform({ VEREN_CONTAINER_ENGINE: 'none' });

  async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; answer: T }> {
    const { url, token } = platform.veren;
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, answer: (await answer.json()) as T };
  }
  const setGreeting = (projectId: string, value: string, more: object = {}) =>
    call<VariableList>('PUT', `/projects/${projectId}/variables/GREETING`, { value, ...more });
  const releaseCurrent = (projectId: string, more: object = {}) =>
    call<ReleaseHistory & { code?: string }>('POST', `/projects/${projectId}/releases`, {
      variables: 'current',
      ...more,
    });
  const historyOf = async (projectId: string) =>
    (await call<ReleaseHistory>('GET', `/projects/${projectId}/releases`)).answer;
  const started = (projectId: string) =>
    eventually(async () => {
      const history = await historyOf(projectId);
      return history.nextRelease && !history.nextRelease.error ? null : history;
    });

  test('makes a new release without a build, which a rollback takes back', async () => {
    await call('PUT', '/projects/shop', {});
    expect((await setGreeting('shop', 'hello')).answer.outdated).toBeUndefined();
    await call('PUT', '/projects/shop/variables/KEY', { value: 'sesame-open', secret: true });
    const record = await deployServer(platform, 'shop', serverOf('one'), { page: '<h1>one</h1>' });
    expect([record.status, record.error]).toEqual(['succeeded', undefined]);
    const { deploymentId } = record;
    const url = productionUrl(record);
    const seen = async () => (await askHost(url, '/api')).body;
    expect(await seen()).toBe('one hello');

    // What previews or builds alone see does not make production's backend outdated.
    expect((await setGreeting('shop', 'for previews', { environments: ['preview'] })).answer.outdated).toBeUndefined();
    const { answer: set } = await setGreeting('shop', 'good day', { environments: ['production'] });
    expect(set.outdated).toMatchObject({ deploymentId, version: 2, action: expect.stringContaining('/releases') });
    expect(await seen()).toBe('one hello');

    const asked = await releaseCurrent('shop', { reason: 'another greeting' });
    expect(asked.status).toBe(202);
    expect(asked.answer.note).toContain('site keeps the variables');
    const again = await releaseCurrent('shop');
    const ids = [asked, again].map(({ answer }) => answer.nextRelease?.releaseId ?? answer.release?.releaseId);
    expect(ids[0]).toBe(ids[1]);
    const { release, releases } = await started('shop');
    expect(release).toMatchObject({
      deploymentId,
      kind: 'promote',
      variables: { version: 4 },
      reason: 'another greeting',
    });
    expect(releases).toHaveLength(2);
    await eventually(async () => (await seen()) === 'one good day');
    expect((await askHost(url, '/')).body).toBe('<h1>one</h1>');
    // Its own address still shows it as it was deployed.
    expect((await askHost(record.service?.deploymentUrl ?? '', '/api')).body).toBe('one hello');
    // Asked once more there is nothing to do.
    expect((await releaseCurrent('shop')).answer.releases).toHaveLength(2);
    expect((await call<VariableList>('GET', '/projects/shop/variables')).answer.outdated).toBeUndefined();

    expect((await call('POST', '/projects/shop/rollback', {})).status).toBe(202);
    await eventually(async () => (await seen()) === 'one hello');
    const { answer: forth } = await call<ReleaseHistory>('POST', '/projects/shop/rollback', { deploymentId });
    // It is served already: named, it is no way to switch back and forth.
    expect(forth.releases).toHaveLength(3);
    // Back to the current ones: nothing has to be started for it.
    await releaseCurrent('shop');
    await started('shop');
    await eventually(async () => (await seen()) === 'one good day');
  }, 300_000);

  test('with which the backend does not run changes nothing, and says the last lines, without secrets', async () => {
    const { release: before, releases: all } = await historyOf('shop');
    const url = productionUrl(await platform.veren.client.getDeployment(`${before?.deploymentId}`));
    const count = all.length;
    await setGreeting('shop', 'broken');
    await releaseCurrent('shop');
    const { nextRelease, releases } = await started('shop');
    expect(nextRelease?.error).toMatchObject({ code: 'SERVICE_EXITED', lastLines: ['no greeting, key ***'] });
    expect(releases).toHaveLength(count);
    expect((await askHost(url, '/api')).body).toBe('one good day');
    const { answer } = await call<{ items: { version: string }[] }>('GET', '/projects/shop/service');
    expect(answer.items).toHaveLength(2);

    // Another value, and it is released; the failed one is forgotten.
    await setGreeting('shop', 'at last');
    await releaseCurrent('shop');
    expect((await started('shop')).nextRelease).toBeUndefined();
    await eventually(async () => (await askHost(url, '/api')).body === 'one at last');
    // A crash of the platform changes nothing of that.
    await platform.restart();
    // Its port may have been taken by another platform of these tests meanwhile.
    const again = productionUrl(await platform.veren.client.getDeployment(`${before?.deploymentId}`));
    expect((await askHost(again, '/api')).body).toBe('one at last');
  }, 300_000);

  test('is not released where there is no backend, or nothing was asked for', async () => {
    const refused = async (projectId: string, more?: object) => {
      const { status, answer } = await releaseCurrent(projectId, more);
      return [status, answer.code];
    };
    await call('PUT', '/projects/empty', {});
    expect(await refused('empty')).toEqual([409, 'VARIABLES_NOT_RELEASABLE']);
    expect(await refused('nobody')).toEqual([404, 'NOT_FOUND']);
    const record = await deployServer(platform, 'gone', serverOf('gone'));
    expect(record.status).toBe('succeeded');
    await setGreeting('gone', 'late');
    // A deployment of another project is none of this one's.
    expect(await refused('shop', { deploymentId: record.deploymentId })).toEqual([404, 'NOT_FOUND']);
    const { status, answer } = await call<{ code: string }>('POST', '/projects/gone/releases', {});
    expect([status, answer.code]).toEqual([400, 'INVALID_REQUEST']);
  }, 300_000);
});
