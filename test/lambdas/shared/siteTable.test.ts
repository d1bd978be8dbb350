import { decodeRoute, encodeRoute, SITE_TABLE_LIMITS, type SiteRoute } from '../../../contract/siteRoute.ts';
import { cloudFrontSites } from '../../../lambdas/shared/adapters/aws/siteTable.ts';
import { deploymentLabel, previewHost } from '../../../lambdas/shared/addresses.ts';
import { keyValueStoreDouble } from '../../support/keyValueStoreDouble.ts';

const DEPLOYMENT = '01kb3xv7q8w9e1r2t3y4u5i6o7';
const shop: SiteRoute = { projectId: 'shop', deploymentId: DEPLOYMENT };
const locked: SiteRoute = {
  projectId: 'p'.repeat(63),
  deploymentId: DEPLOYMENT,
  before: [{ deploymentId: '01kb3xv7q8w9e1r2t3y4u5i6o6', until: 1_796_000_000 }],
  noindex: true,
  protection: { kind: 'password', salt: 's'.repeat(22), hash: 'f'.repeat(64) },
  maintenance: true,
  rules: 'after',
};

let store: Awaited<ReturnType<typeof keyValueStoreDouble>>;
beforeEach(async () => {
  store = await keyValueStoreDouble();
});
afterEach(() => store.close());
const sites = () => cloudFrontSites(store.client, store.arn);

test('a switch is one write, signed for all regions', async () => {
  await sites().point([
    { host: 'shop', route: shop },
    { host: 'shop.example.com', route: locked },
  ]);
  expect(store.updates()).toBe(1);
  expect(await sites().find('shop')).toEqual(shop);
  expect(await sites().find('shop.example.com')).toEqual(locked);
  await sites().point([
    { host: 'shop', route: { ...shop, deploymentId: '01kb3xv7q8w9e1r2t3y4u5i6o8' } },
    { host: 'shop.example.com', route: null },
    { host: 'never-there', route: null },
  ]);
  expect(store.updates()).toBe(2);
  expect(await sites().find('shop.example.com')).toBeNull();
  expect(store.entries.size).toBe(1);
});

test('a writer that was slower tries again, and none of two switches is lost', async () => {
  let others = 3;
  store.onUpdate(() => {
    if (others-- > 0) store.bump();
  });
  await sites().point([{ host: 'shop', route: shop }]);
  expect(await sites().find('shop')).toEqual(shop);
  store.onUpdate(undefined);
  const hosts = Array.from({ length: 8 }, (_, i) => `site-${i}`);
  await Promise.all(hosts.map((host) => sites().point([{ host, route: shop }])));
  expect([...store.entries.keys()].sort()).toEqual([...hosts, 'shop'].sort());
});

test('the service says of another version that a precondition failed: tried again, too', async () => {
  store.faults.push(undefined, {
    status: 400,
    headers: { 'x-amzn-errortype': 'ValidationException', 'content-type': 'application/json' },
    body: JSON.stringify({ Message: 'Pre-Condition failed' }),
  });
  await sites().point([{ host: 'shop', route: shop }]);
  expect(await sites().find('shop')).toEqual(shop);
});

test('more hosts than one call takes are written in several', async () => {
  const changes = Array.from({ length: 120 }, (_, i) => ({ host: `h${i}`, route: shop }));
  await sites().point(changes);
  expect([store.updates(), store.entries.size]).toEqual([3, 120]);
  await sites().point(changes.map(({ host }) => ({ host, route: null })));
  expect(store.entries.size).toBe(0);
});

test('an outage, a full store and a refusal leave everything as it was, and say so', async () => {
  await sites().point([{ host: 'shop', route: shop }]);
  const down = { status: 503, body: 'down' };
  store.faults.push(...Array.from({ length: 4 }, () => down));
  await expect(sites().point([{ host: 'shop', route: null }])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  store.faults.length = 0;
  store.faults.push(down, down);
  await expect(sites().find('shop')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  store.faults.length = 0;
  for (let i = 0; i < 5_200; i++) store.entries.set(`filler-${i}`, 'x'.repeat(1_000));
  await expect(sites().point([{ host: 'more', route: locked }])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(sites().point([{ host: 'x'.repeat(600), route: shop }])).rejects.toThrow('length of a key');
  expect(await sites().find('shop')).toEqual(shop);
});

test('an endpoint that nobody listens at is an outage', async () => {
  await store.close();
  await expect(sites().point([{ host: 'shop', route: shop }])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  store = await keyValueStoreDouble();
});

test('a route that is read is the one that was written, and fits its entry whatever it holds', () => {
  expect(decodeRoute(encodeRoute(locked))).toEqual(locked);
  const before = Array.from({ length: 200 }, (_, i) => ({ deploymentId: DEPLOYMENT, until: 1_796_000_000 + i }));
  const text = encodeRoute({ ...locked, before });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(SITE_TABLE_LIMITS.valueBytes);
  // The newest ones stay.
  const kept = decodeRoute(text).before ?? [];
  expect(kept.length).toBeGreaterThan(10);
  expect(kept).toEqual(before.slice(0, kept.length));
});

test('10,000 protected previews of projects with long names fit the store', () => {
  const project = 'a-project-with-a-rather-long-name';
  const preview = { ...locked, projectId: project };
  delete preview.before;
  const entry = (i: number) =>
    Buffer.byteLength(previewHost(deploymentLabel('k'.repeat(32), `d${i}`), project)) +
    Buffer.byteLength(encodeRoute(preview));
  const bytes = Array.from({ length: 10_000 }, (_, i) => entry(i)).reduce((a, b) => a + b);
  expect(bytes).toBeLessThan(SITE_TABLE_LIMITS.storeBytes);
});

test('previews leave room: production switches when there is none for another preview', async () => {
  const { client, arn, entries } = store;
  const own = cloudFrontSites(client, arn);
  const preview = (i: number) => ({ projectId: 'shop', deploymentId: `d${i}`, noindex: true });
  await own.point([{ host: 'shop', route: { projectId: 'shop', deploymentId: 'd1' } }]);
  await own.point([{ host: 'x1--shop', route: preview(1) }]);
  const filler = SITE_TABLE_LIMITS.storeBytes * 0.9;
  for (let i = 0, bytes = 0; bytes < filler; i++, bytes += 1_050) entries.set(`filler-${i}`, 'x'.repeat(1_040));
  await expect(own.point([{ host: 'x2--shop', route: preview(2) }])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no room for another preview'),
  });
  await own.point([{ host: 'x1--shop', route: preview(3) }]);
  const before = Array.from({ length: 5 }, (_, i) => ({ deploymentId: `d${i}`, until: 1_800_000_000 }));
  await own.point([{ host: 'shop', route: { projectId: 'shop', deploymentId: 'd9', before } }]);
  expect((await own.find('shop'))?.deploymentId).toBe('d9');
  expect((await own.find('x1--shop'))?.deploymentId).toBe('d3');
  expect(await own.find('x2--shop')).toBeNull();
});
