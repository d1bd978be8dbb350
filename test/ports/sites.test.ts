import type { SiteRoute } from '../../contract/siteRoute.ts';
import { cloudFrontSites } from '../../lambdas/shared/adapters/aws/siteTable.ts';
import type { Sites } from '../../lambdas/shared/ports.ts';
import { bucketSites } from '../../lambdas/shared/sites/bucketSites.ts';
import { volatileJournal } from '../../local/adapters/memory/journal.ts';
import { memorySites } from '../../local/adapters/memory/sites.ts';
import { keyValueStoreDouble } from '../support/keyValueStoreDouble.ts';
import { memoryS3 } from '../support/memoryS3.ts';

interface Opened {
  readonly sites: Sites;
  readonly close: () => Promise<void>;
}

const nothing = async () => undefined;
const adapters: Record<string, () => Promise<Opened>> = {
  memory: async () => ({ sites: memorySites(volatileJournal()), close: nothing }),
  cloudfront: async () => {
    const store = await keyValueStoreDouble();
    return { sites: cloudFrontSites(store.client, store.arn), close: store.close };
  },
  bucket: async () => ({ sites: bucketSites(memoryS3(), 'bucket'), close: nothing }),
};

const route = (projectId: string, deploymentId: string, more: Partial<SiteRoute> = {}): SiteRoute => ({
  ...{ projectId, deploymentId },
  ...more,
});

describe.each(Object.entries(adapters))('Sites: %s', (_, open) => {
  let opened: Opened;
  let sites: Sites;
  beforeEach(async () => {
    opened = await open();
    sites = opened.sites;
  });
  afterEach(() => opened.close());

  test('gives back what a host was pointed at, with every field', async () => {
    const whole = route('shop', 'd2', {
      before: [{ deploymentId: 'd1', until: 1_800_000_000 }],
      noindex: true,
      protection: { kind: 'link', salt: 's', hash: 'f'.repeat(64) },
      maintenance: true,
    });
    await sites.point([{ host: 'shop', route: whole }]);
    expect(await sites.find('shop')).toEqual(whole);
    await sites.point([{ host: 'shop', route: route('shop', 'd3') }]);
    expect(await sites.find('shop')).toEqual(route('shop', 'd3'));
  });

  test('an unknown host shows nothing, whatever it is called', async () => {
    await sites.point([{ host: 'shop', route: route('shop', 'd1') }]);
    for (const host of ['shopp', 'sho', 'x--shop', '__proto__', 'constructor', 'toString'])
      expect([host, await sites.find(host)]).toEqual([host, null]);
  });

  test('changes of one call are all there, removals among them; hosts that were not removed stay', async () => {
    await sites.point(['a', 'b', 'c'].map((host) => ({ host, route: route(host, 'd1') })));
    await sites.point([
      { host: 'a', route: null },
      { host: 'b', route: route('b', 'd2') },
      { host: 'www.example.com', route: route('b', 'd2') },
      { host: 'never-there', route: null },
    ]);
    expect(await Promise.all(['a', 'b', 'c', 'www.example.com'].map((host) => sites.find(host)))).toEqual([
      null,
      route('b', 'd2'),
      route('c', 'd1'),
      route('b', 'd2'),
    ]);
  });

  test('lists the hosts of one project, however many there are, and of no other', async () => {
    const changes = Array.from({ length: 120 }, (__, i) => ({ host: `x${i}--shop`, route: route('shop', `d${i}`) }));
    await sites.point([...changes, { host: 'www.shop.example', route: route('shop', 'd1') }]);
    await sites.point([{ host: 'y--shop-2', route: route('shop-2', 'd1') }]);
    const found = await sites.listRoutes('shop');
    expect(new Map(found.map((one) => [one.host, one.route]))).toEqual(
      new Map([...changes.map((one) => [one.host, one.route] as const), ['www.shop.example', route('shop', 'd1')]]),
    );
    expect(await sites.listRoutes('unknown')).toEqual([]);
  });

  test('no change at all is no fault, and a removal may be repeated', async () => {
    await sites.point([]);
    await sites.point([{ host: 'a', route: null }]);
    await sites.point([{ host: 'a', route: null }]);
    expect(await sites.find('a')).toBeNull();
  });

  test('writers at the same time lose nothing of each other', async () => {
    const hosts = Array.from({ length: 20 }, (__, i) => `p${i}`);
    await Promise.all(hosts.map((host) => sites.point([{ host, route: route(host, 'd1') }])));
    expect(await Promise.all(hosts.map((host) => sites.find(host)))).toEqual(hosts.map((host) => route(host, 'd1')));
  });

  test('as many changes as one call may have', async () => {
    const changes = Array.from({ length: 50 }, (__, i) => ({ host: `x${i}--shop`, route: route('shop', `d${i}`) }));
    await sites.point(changes);
    for (const { host, route: wanted } of changes) expect(await sites.find(host)).toEqual(wanted);
  });
});
