import type { DnsEntry } from '../../../contract/domains.ts';
import type { SiteRoute } from '../../../contract/siteRoute.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';
import { shownDomains } from '../../../lambdas/shared/domains/followRelease.ts';
import { type OwnDomainsDeps, openOwnDomains } from '../../../lambdas/shared/domains/ownDomains.ts';
import type { DomainProgress } from '../../../lambdas/shared/ports.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { laptopDomains } from '../../../local/adapters/laptopDomains.ts';
import { apiFixture } from '../../support/api.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

/** A platform whose DNS and whose certificates are as the test says. */
function testDomains() {
  const txt = new Set<string>();
  const attached = new Set<string>();
  const left = new Set<string>();
  const state: { progress: DomainProgress; mayRemove: boolean } = { progress: { status: 'live' }, mayRemove: true };
  const keyOf = ({ name, value }: DnsEntry) => `${name} ${value}`;
  return {
    ...{ state, attached, left },
    enter: (entry: DnsEntry) => void txt.add(keyOf(entry)),
    erase: (entry: DnsEntry) => void txt.delete(keyOf(entry)),
    port: {
      entries: async (name: string): Promise<DnsEntry[]> => [{ type: 'CNAME', name, value: 'd1.cloudfront.net' }],
      proves: async (entry: DnsEntry) => txt.has(keyOf(entry)),
      async attach(name: string) {
        attached.add(name);
        return state.progress;
      },
      async detach(name: string) {
        if (attached.delete(name)) left.add(name);
      },
      async *listDetached() {
        yield* [...left];
      },
      async removeDetached(name: string) {
        return state.mayRemove && !attached.has(name) && left.delete(name);
      },
    },
  };
}

async function openWorld(domains: OwnDomainsDeps['domains'], siteDomain?: string) {
  const storage = { s3: memoryS3(), bucket: 'bucket', clock: { now: Date.now } };
  const projects = openProjectStore(storage);
  const routes = new Map<string, SiteRoute>();
  const ownDomains = openOwnDomains({
    documents: openDocuments(storage.s3, 'bucket'),
    projects,
    domains,
    clock: storage.clock,
    siteDomain,
    sites: {
      async point(changes) {
        for (const { host, route } of changes)
          if (route) routes.set(host, route);
          else routes.delete(host);
      },
      find: async (host) => routes.get(host) ?? null,
      listRoutes: async (id) =>
        [...routes].flatMap(([host, route]) => (route.projectId === id ? [{ host, route }] : [])),
    },
  });
  const api = await apiFixture({ projects, ownDomains });
  await projects.ensure('shop', 'ada', {});
  await projects.ensure('blog', 'ada', {});
  await projects.ensure('bobs', 'bob', {});
  const shown = async (id: string) => shownDomains(openDocuments(storage.s3, 'bucket'))((await projects.get(id))!);
  return { ...api, projects, ownDomains, routes, shown };
}
const RELEASED: SiteRoute = { projectId: 'shop', deploymentId: 'd1', before: [{ deploymentId: 'd0', until: 9 }] };
const path = (project: string, name = '') => `/projects/${project}/domains${name && `/${name}`}`;
const txtOf = (body: { dns: DnsEntry[] }) => body.dns.find(({ type }) => type === 'TXT') as DnsEntry;

test('on a laptop a domain is live at once, and asks for nothing', async () => {
  const { call, projects, routes } = await openWorld(laptopDomains());
  routes.set('shop', RELEASED);
  const added = await call('PUT', path('shop', 'Shop.Example'));
  expect(added).toMatchObject({
    status: 200,
    body: { name: 'shop.example', projectId: 'shop', status: 'live', dns: [] },
  });
  expect((await projects.get('shop'))?.domains).toEqual(['shop.example']);
  expect(routes.get('shop.example')).toEqual(RELEASED);
  expect((await call('GET', path('shop'))).body.domains).toEqual([added.body]);
  expect((await call('GET', path('shop', 'shop.example'))).body).toEqual(added.body);
});

test('from the first record that is missing to live, and the API says what is in the way', async () => {
  const domains = testDomains();
  const { call, routes, shown } = await openWorld(domains.port);
  routes.set('shop', RELEASED);
  const asked = await call('PUT', path('shop', 'www.shop.example'));
  expect(asked.body).toMatchObject({
    status: 'pending-dns',
    problem: expect.stringContaining('no TXT record _veren.www'),
  });
  expect(asked.body.dns.map(({ type, name }: DnsEntry) => `${type} ${name}`)).toEqual([
    'CNAME www.shop.example',
    'TXT _veren.www.shop.example',
  ]);
  // Nothing answers for a name that nobody has proved.
  expect([...domains.attached, ...(await shown('shop'))]).toEqual([]);
  expect([...routes.keys()]).toEqual(['shop']);
  domains.enter(txtOf(asked.body));
  domains.state.progress = { status: 'pending-dns', problem: 'The name leads to other.example.' };
  expect((await call('GET', path('shop', 'www.shop.example'))).body).toMatchObject({
    status: 'pending-dns',
    problem: 'The name leads to other.example.',
  });
  domains.state.progress = { status: 'pending-certificate' };
  expect((await call('GET', path('shop', 'www.shop.example'))).body).toMatchObject({ status: 'pending-certificate' });
  domains.state.progress = { status: 'live' };
  const live = await call('PUT', path('shop', 'www.shop.example'));
  expect(live.body).toMatchObject({ status: 'live' });
  expect(live.body.problem).toBeUndefined();
  expect(await shown('shop')).toEqual(['www.shop.example']);
  expect(routes.get('www.shop.example')).toEqual(RELEASED);
});

test('a name belongs to one project, over all owners, until it is given up', async () => {
  const { call, routes, projects } = await openWorld(laptopDomains());
  await call('PUT', path('shop', 'shop.example'));
  for (const as of ['ada', 'bob'] as const) {
    const other = as === 'ada' ? 'blog' : 'bobs';
    const taken = await call('PUT', path(other, 'shop.example'), undefined, { as });
    expect(taken).toMatchObject({ status: 409, body: { code: 'DOMAIN_TAKEN' } });
    expect(taken.body.detail).toContain('shop.example belongs to another project');
    expect(taken.body.detail).not.toContain('"shop"');
    expect((await call('GET', path(other), undefined, { as })).body.domains).toEqual([]);
    expect((await call('DELETE', path(other, 'shop.example'), undefined, { as })).status).toBe(404);
  }
  routes.set('shop.example', { projectId: 'shop', deploymentId: 'd1' });
  expect(await call('DELETE', path('shop', 'shop.example'))).toMatchObject({ status: 200 });
  expect([...routes.keys()]).toEqual([]);
  expect((await projects.get('shop'))?.domains).toEqual([]);
  expect((await call('GET', path('shop', 'shop.example'))).status).toBe(404);
  expect((await call('DELETE', path('shop', 'shop.example'))).status).toBe(404);
  expect((await call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' })).status).toBe(200);
});

test('of two who ask at once one gets it', async () => {
  const { call, projects } = await openWorld(laptopDomains());
  const answers = await Promise.all([
    call('PUT', path('shop', 'shop.example')),
    call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' }),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const listed = await Promise.all(['shop', 'bobs'].map(async (id) => (await projects.get(id))?.domains ?? []));
  expect(listed.flat()).toEqual(['shop.example']);
});

test('who only asks for a name does not keep it from the one whose DNS says so', async () => {
  const domains = testDomains();
  const { call, projects, shown } = await openWorld(domains.port);
  await call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' });
  const taken = await call('PUT', path('shop', 'shop.example'));
  expect(taken).toMatchObject({ status: 409, body: { code: 'DOMAIN_TAKEN' } });
  const [, name = '', value = ''] = /TXT record (\S+) = (\S+) that/.exec(JSON.stringify(taken.body)) ?? [];
  domains.enter({ type: 'TXT', name, value });
  expect((await call('PUT', path('shop', 'shop.example'))).body).toMatchObject({ status: 'live', projectId: 'shop' });
  expect((await projects.get('bobs'))?.domains).toEqual([]);
  // Even where the list of the one who lost it still has the name, no release shows his site there.
  await projects.change('bobs', (project) => ({ ...project, domains: ['shop.example'] }));
  expect([await shown('bobs'), await shown('shop')]).toEqual([[], ['shop.example']]);
  expect((await call('GET', path('bobs', 'shop.example'), undefined, { as: 'bob' })).status).toBe(404);
  // Without his record in the DNS bob does not get it back.
  expect((await call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' })).status).toBe(409);
});

test.each([
  ['*.shop.example', 'wildcard'],
  ['bücher.example', 'Punycode'],
  ['shop', 'at least two parts'],
  ['-a.example', 'inner hyphens'],
  ['a..example', 'inner hyphens'],
  ['a_b.example', 'inner hyphens'],
  ['127.0.0.1', 'no name'],
  [`${'a'.repeat(64)}.example`, '1 to 63'],
  [`${'a.'.repeat(130)}example`, '253'],
])('no domain: %s', async (name, why) => {
  const { call } = await openWorld(laptopDomains());
  const answer = await call('PUT', path('shop', encodeURIComponent(name)));
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  expect(JSON.stringify(answer.body.errors)).toContain(why);
});

test('names of the stage itself are refused, whatever their case', async () => {
  const { call } = await openWorld(laptopDomains(), 'sites.example.com');
  for (const name of [
    'sites.example.com',
    'blog.sites.example.com',
    'A.B.Sites.Example.COM',
    'd1.cloudfront.net',
    'x.localhost',
  ])
    expect(await call('PUT', path('shop', name))).toMatchObject({ status: 409, body: { code: 'DOMAIN_REFUSED' } });
  expect((await call('PUT', path('shop', 'xsites.example.com'))).status).toBe(200);
});

test('a project has a limit of domains, and what is over it is not kept', async () => {
  const { call } = await openWorld(laptopDomains());
  for (let i = 0; i < 40; i++) expect((await call('PUT', path('shop', `d${i}.example`))).status).toBe(200);
  expect(await call('PUT', path('shop', 'more.example'))).toMatchObject({
    status: 409,
    body: { code: 'DOMAIN_REFUSED' },
  });
  expect((await call('PUT', path('bobs', 'more.example'), undefined, { as: 'bob' })).status).toBe(200);
});

test('a stage that is not set up for domains says so; another owner’s project is not there', async () => {
  const { call } = await apiFixture();
  expect((await call('GET', path('shop'))).status).toBe(404);
  const world = await openWorld(laptopDomains());
  expect((await world.call('PUT', path('shop', 'a.example'), undefined, { as: 'bob' })).status).toBe(404);
  const { ports: _, ...rest } = await apiFixture({ projects: world.projects });
  expect(await rest.call('PUT', path('shop', 'a.example'))).toMatchObject({
    status: 409,
    body: { code: 'DOMAIN_REFUSED', detail: expect.stringContaining('not set up') },
  });
});

test('a name that was sold goes to the project that its DNS names now, and not before', async () => {
  const domains = testDomains();
  const { call, shown } = await openWorld(domains.port);
  const first = txtOf((await call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' })).body);
  domains.enter(first);
  expect((await call('PUT', path('bobs', 'shop.example'), undefined, { as: 'bob' })).body.status).toBe('live');
  const taken = await call('PUT', path('shop', 'shop.example'));
  const [, name = '', value = ''] = /TXT record (\S+) = (\S+) that/.exec(JSON.stringify(taken.body)) ?? [];
  domains.enter({ type: 'TXT', name, value });
  expect((await call('PUT', path('shop', 'shop.example'))).status).toBe(409);
  domains.erase(first);
  expect((await call('PUT', path('shop', 'shop.example'))).body).toMatchObject({ status: 'live', projectId: 'shop' });
  expect([await shown('bobs'), await shown('shop')]).toEqual([[], ['shop.example']]);
});

test('what is left of a name goes when nobody has it any more, and never one that a project has', async () => {
  const domains = testDomains();
  const { call, ownDomains } = await openWorld(domains.port);
  const add = async (project: string, name: string, as = 'ada') => {
    domains.enter(txtOf((await call('PUT', path(project, name), undefined, { as })).body));
    await call('PUT', path(project, name), undefined, { as });
  };
  for (const name of ['old.example', 'again.example', 'off.example']) await add('shop', name);
  for (const name of ['old.example', 'again.example']) await call('DELETE', path('shop', name));
  // Somebody else has one by now; an operator has switched another off; the third is none of ours.
  await add('bobs', 'again.example', 'bob');
  for (const name of ['again.example', 'off.example', 'made-by-hand.example']) domains.left.add(name);
  domains.state.mayRemove = false;
  expect(await ownDomains.sweep(() => true)).toEqual([]);
  domains.state.mayRemove = true;
  expect(await ownDomains.sweep(() => false)).toEqual([]);
  expect(await ownDomains.sweep(() => true)).toEqual(['old.example']);
  expect([...domains.left]).toEqual(['again.example', 'off.example', 'made-by-hand.example']);
  expect([...domains.attached]).toEqual(['off.example', 'again.example']);
});

test('who gives a name up while another project takes it over does not switch it off there', async () => {
  const domains = testDomains();
  const { call, routes } = await openWorld(domains.port);
  const first = txtOf((await call('PUT', path('bobs', 'sold.example'), undefined, { as: 'bob' })).body);
  domains.enter(first);
  await call('PUT', path('bobs', 'sold.example'), undefined, { as: 'bob' });
  routes.set('shop', RELEASED);
  const taken = await call('PUT', path('shop', 'sold.example'));
  const [, name = '', value = ''] = /TXT record (\S+) = (\S+) that/.exec(JSON.stringify(taken.body)) ?? [];
  domains.erase(first);
  domains.enter({ type: 'TXT', name, value });
  // After the removal has looked whose the name is, before it switches it off.
  const { detach } = domains.port;
  domains.port.detach = async (one) => {
    expect((await call('PUT', path('shop', 'sold.example'))).body).toMatchObject({ status: 'live', projectId: 'shop' });
    await detach(one);
    routes.delete(one);
  };
  expect((await call('DELETE', path('bobs', 'sold.example'), undefined, { as: 'bob' })).status).toBe(200);
  expect([...domains.attached]).toEqual(['sold.example']);
  expect(routes.get('sold.example')).toEqual(RELEASED);
  expect((await call('GET', path('shop', 'sold.example'))).body).toMatchObject({ status: 'live' });
});
