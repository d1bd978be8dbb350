import type { VariableList } from '../../../contract/project-variables.ts';
import { openAudit } from '../../../lambdas/shared/audit.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { apiFixture } from '../../support/api.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const SECRET = 'npm_s3cretOfTheRegistry';
const deployment = { projectId: 'shop', gitUrl: 'https://git.example/shop.git' };

async function open() {
  const storage = { s3: memoryS3(), bucket: 'b', clock: { now: Date.now } };
  const api = await apiFixture({ variables: openVariableStore(storage), audit: openAudit(storage) });
  const first = await api.call('POST', '/deployments', deployment);
  const at = (path = '') => `/projects/shop/variables${path}`;
  return { api, s3: storage.s3, at, first: first.body.deploymentId as string };
}

test('a secret is set and never given back; a plain value is', async () => {
  const { api, s3, at } = await open();
  const set = await api.call('PUT', at('/NPM_TOKEN'), { value: SECRET, secret: true, seenBy: ['install'] });
  expect([set.status, set.body]).toMatchObject([
    200,
    {
      projectId: 'shop',
      version: 1,
      items: [{ name: 'NPM_TOKEN', secret: true, seenBy: ['install'], environments: ['production', 'preview'] }],
    },
  ]);
  await api.call('PUT', at('/SITE'), { value: 'plain', environments: ['preview'] });
  const all = (await api.call('GET', at())).body as VariableList;
  expect(all.items.map(({ name, value }) => [name, value])).toEqual([
    ['NPM_TOKEN', undefined],
    ['SITE', 'plain'],
  ]);
  expect((await api.call('GET', at('?environment=production'))).body.items).toHaveLength(1);
  expect((await api.call('GET', at('/SITE'))).body.items).toMatchObject([{ environments: ['preview'], by: 'ada' }]);
  for (const text of [...s3.objects.values()]) expect(text).not.toMatch(new RegExp(`${SECRET}|"plain"`));
  const audit = [...s3.objects]
    .filter(([key]) => key.startsWith('__audit/ada/'))
    .map(([, text]) => JSON.parse(text))
    .filter(({ action }) => action.startsWith('variable.'));
  expect(audit).toMatchObject([
    { by: 'ada', action: 'variable.set', projectId: 'shop', subject: 'NPM_TOKEN' },
    { action: 'variable.set', subject: 'SITE', detail: 'plain, preview, version 2' },
  ]);
});

test('a deployment has the version of the moment of its acceptance, and a redeployment that of its own', async () => {
  const { api, at, first } = await open();
  const recordOf = async (id: string) => (await api.call('GET', `/deployments/${id}`)).body;
  expect(await recordOf(first)).not.toHaveProperty('variables');
  await api.call('PUT', at('/A'), { value: '1' });
  const second = (await api.call('POST', '/deployments', deployment)).body.deploymentId;
  await api.call('PUT', at('/A'), { value: '2' });
  const third = (await api.call('POST', `/deployments/${second}/redeploy`)).body.deploymentId;
  expect((await recordOf(second)).variables).toEqual({ version: 1 });
  expect((await recordOf(third)).variables).toEqual({ version: 2 });
});

test('a repeat with an Idempotency-Key is the same request after a change of the variables', async () => {
  const { api, at } = await open();
  const send = () => api.call('POST', '/deployments', deployment, { headers: { 'Idempotency-Key': 'k' } });
  const sent = await send();
  await api.call('PUT', at('/A'), { value: '1' });
  expect((await send()).body.deploymentId).toBe(sent.body.deploymentId);
});

test('many at once, replaced and removed, each of them one version', async () => {
  const { api, at } = await open();
  const names = async () => ((await api.call('GET', at())).body as VariableList).items.map(({ name }) => name);
  await api.call('PUT', at(), { env: { A: '1', B: '2' } });
  const merged = await api.call('PUT', at(), { env: { C: '3' }, secret: false });
  expect([merged.body.version, await names()]).toEqual([2, ['A', 'B', 'C']]);
  await api.call('PUT', at(), { env: { D: '4' }, environments: ['production'], replace: true });
  expect((await api.call('GET', at('?environment=production'))).body.items).toMatchObject([{ name: 'D' }]);
  expect((await api.call('GET', at('?environment=preview'))).body.items).toHaveLength(3);
  expect((await api.call('DELETE', at('/A'))).body.items).toEqual([]);
  expect((await api.call('DELETE', at('/A'))).status).toBe(404);
  expect((await api.call('DELETE', at('?environment=preview'))).body.items).toMatchObject([{ name: 'D' }]);
  expect((await api.call('DELETE', at())).body).toMatchObject({ version: 6, items: [] });
  expect((await api.call('DELETE', at())).body.version).toBe(6);
});

test.each([
  ['AWS_SECRET_ACCESS_KEY', /The SDK of the builder reads/],
  ['PATH', /decides which Node/],
  ['__proto__', /no ordinary name/],
  ['NPM%20TOKEN', /letters, digits and _/],
  ['ΝPM_TOKEN', /letters, digits and _/], // a Greek N
  ['x'.repeat(129), /128/],
])('the name %s is refused, with the reason', async (name, message) => {
  const { api, at } = await open();
  const { status, body } = await api.call('PUT', at(`/${name}`), { value: 'value' });
  expect([status, body.code, body.errors[0].message]).toEqual([400, 'INVALID_REQUEST', expect.stringMatching(message)]);
});

test('what cannot be kept secret is no secret, and names that differ in case are two', async () => {
  const { api, at } = await open();
  const short = await api.call('PUT', at('/PIN'), { value: '123', secret: true });
  expect(short.body.errors).toMatchObject([{ field: 'value', message: expect.stringContaining('too short') }]);
  const many = await api.call('PUT', at(), { env: { OK: 'long enough', DEBUG: '1' }, secret: true });
  expect(many.body.errors).toMatchObject([{ field: 'env.DEBUG' }]);
  for (const body of [
    {},
    { value: 1 },
    { value: 'a\u0000' },
    { value: 'v', seenBy: [] },
    { value: 'v', seenBy: ['x'] },
  ])
    expect((await api.call('PUT', at('/A'), body)).status).toBe(400);
  await api.call('PUT', at('/token'), { value: 'lower' });
  await api.call('PUT', at('/TOKEN'), { value: 'upper' });
  expect((await api.call('GET', at('/token'))).body.items).toMatchObject([{ value: 'lower' }]);
});

test('another owner’s project is one that does not exist', async () => {
  const { api, at } = await open();
  await api.call('PUT', at('/A'), { value: 'mine' });
  for (const [method, path, body] of [
    ['GET', at()],
    ['GET', at('/A')],
    ['PUT', at('/A'), { value: 'theirs' }],
    ['PUT', at(), { env: { A: 'theirs' } }],
    ['DELETE', at('/A')],
    ['DELETE', at()],
  ] as const) {
    const answer = await api.call(method, path, body, { as: 'bob' });
    expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 404, 'NOT_FOUND']);
  }
  expect((await api.call('GET', at())).body).toMatchObject({ version: 1, items: [{ value: 'mine' }] });
  expect((await api.call('GET', '/projects/unknown/variables')).status).toBe(404);
});
