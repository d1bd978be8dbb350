import { openCloudFront } from '../../../lambdas/shared/adapters/aws/clients.ts';
import { cloudFrontDomains } from '../../../lambdas/shared/adapters/aws/cloudFrontDomains.ts';
import { httpDouble, type Response } from '../../support/httpDouble.ts';

interface Tenant {
  domain: string;
  distributionId: string;
  enabled: boolean;
  status: 'active' | 'inactive';
  certificate: string;
  customArn?: string;
  version: number;
  /** Edges do not know the last change yet. */
  isSpreading: boolean;
}

const ENDPOINT = 'd2tenants.cloudfront.net';
const xml = (status: number, body: string, etag?: string): Response => ({
  status,
  headers: { 'content-type': 'text/xml', ...(etag && { etag }) },
  body: `<?xml version="1.0"?>${body}`,
});
const fault = (status: number, code: string) =>
  xml(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
  );

/** CloudFront's tenants over HTTP: versions are checked, an enabled tenant cannot be removed, a name is in use once. */
async function tenantsDouble() {
  const tenants = new Map<string, Tenant>();
  const elsewhere = new Set<string>();
  const state: { isDown: boolean; isSlow: boolean; count: number; beforeChange?: (() => void) | undefined } = {
    ...{ isDown: false, isSlow: false, count: 0 },
  };
  const show = (id: string, t: Tenant) =>
    xml(
      200,
      `<DistributionTenant><Id>${id}</Id><DistributionId>${t.distributionId}</DistributionId><Name>${t.domain}</Name><Domains><member><Domain>${t.domain}</Domain><Status>${t.status}</Status></member></Domains><Enabled>${t.enabled}</Enabled><Status>${t.isSpreading ? 'InProgress' : 'Deployed'}</Status></DistributionTenant>`,
      `v${t.version}`,
    );
  const tag = (body: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1];
  const endpoint = await httpDouble(({ method, url, headers, body }) => {
    if (state.isDown) return fault(503, 'ServiceUnavailable');
    const { pathname, searchParams } = new URL(url, 'http://x');
    const certificateOf = /\/managed-certificate\/(.+)$/.exec(pathname)?.[1];
    if (certificateOf !== undefined) {
      const t = tenants.get(certificateOf);
      if (!t) return fault(404, 'EntityNotFound');
      const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/c1';
      return xml(
        200,
        `<ManagedCertificateDetails><CertificateArn>${arn}</CertificateArn><CertificateStatus>${t.certificate}</CertificateStatus></ManagedCertificateDetails>`,
      );
    }
    const id = /\/distribution-tenant\/(.+)$/.exec(pathname)?.[1];
    if (method === 'POST' && pathname.endsWith('/distribution-tenants')) {
      const wanted = tag(body, 'DistributionId');
      const own = [...tenants].filter(([, t]) => t.distributionId === wanted);
      const after = own.findIndex(([key]) => key === tag(body, 'Marker')) + 1;
      const [page, next] = [own.slice(after, after + 2), own[after + 1]];
      const items = page.map(
        ([key, t]) =>
          `<DistributionTenantSummary><Id>${key}</Id><DistributionId>${t.distributionId}</DistributionId><Name>${t.domain}</Name><Enabled>${t.enabled}</Enabled><Status>${t.isSpreading ? 'InProgress' : 'Deployed'}</Status></DistributionTenantSummary>`,
      );
      const marker = own.length > after + 2 && next ? `<NextMarker>${next[0]}</NextMarker>` : '';
      return xml(
        200,
        `<ListDistributionTenantsResult>${marker}<DistributionTenantList>${items.join('')}</DistributionTenantList></ListDistributionTenantsResult>`,
      );
    }
    if (method === 'POST') {
      const domain = tag(body, 'Domain') ?? '';
      if (elsewhere.has(domain)) return fault(409, 'CNAMEAlreadyExists');
      if ([...tenants.values()].some((t) => t.domain === domain)) return fault(409, 'EntityAlreadyExists');
      if (tag(body, 'ValidationTokenHost') !== 'cloudfront') return fault(400, 'InvalidArgument');
      const t: Tenant = {
        ...{ domain, distributionId: tag(body, 'DistributionId') ?? '', enabled: true, status: 'inactive' },
        ...{ certificate: 'pending-validation', version: 1, isSpreading: false },
      };
      tenants.set(`dt_${++state.count}`, t);
      return show(`dt_${state.count}`, t);
    }
    if (method === 'GET') {
      const found = [...tenants].find(([, t]) => t.domain === searchParams.get('domain'));
      return found ? show(...found) : fault(404, 'EntityNotFound');
    }
    state.beforeChange?.();
    const t = tenants.get(id ?? '');
    if (!t) return fault(404, 'EntityNotFound');
    if (headers['if-match'] !== `v${t.version}`) return fault(412, 'PreconditionFailed');
    if (method === 'DELETE') {
      if (t.enabled || t.isSpreading) return fault(409, 'ResourceNotDisabled');
      tenants.delete(id ?? '');
      return { status: 204 };
    }
    t.version++;
    t.isSpreading = state.isSlow;
    t.enabled = (tag(body, 'Enabled') ?? `${t.enabled}`) === 'true';
    if (tag(body, 'ValidationTokenHost')) t.certificate = 'pending-validation';
    const arn = tag(body, 'Arn');
    if (arn !== undefined) Object.assign(t, { customArn: arn, status: 'active' });
    return show(id ?? '', t);
  });
  const client = openCloudFront({
    endpoint: endpoint.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  const dns = {
    texts: new Map<string, string[]>(),
    cnames: new Map<string, string[]>(),
    addresses: new Map<string, string[]>(),
  };
  dns.addresses.set(ENDPOINT, ['192.0.2.1', '192.0.2.2']);
  const look = (map: Map<string, string[]>) => async (name: string) => map.get(name) ?? [];
  const domains = cloudFrontDomains(
    client,
    { texts: look(dns.texts), cnames: look(dns.cnames), addresses: look(dns.addresses) },
    { distributionId: 'E1', connectionGroupId: 'cg_1', endpoint: ENDPOINT },
  );
  return { tenants, elsewhere, state, dns, domains, close: endpoint.close };
}

let world: Awaited<ReturnType<typeof tenantsDouble>>;
beforeEach(async () => {
  world = await tenantsDouble();
});
afterEach(() => world.close());
const NAME = 'www.shop.example';
const only = () => [...world.tenants.values()][0] as Tenant;

test('from DNS that leads elsewhere to a name that is live', async () => {
  const { domains, dns } = world;
  expect(await domains.entries(NAME)).toEqual([{ type: 'CNAME', name: NAME, value: ENDPOINT }]);
  expect(await domains.attach(NAME)).toEqual({
    status: 'pending-dns',
    problem: `${NAME} leads nowhere yet: enter the CNAME ${ENDPOINT}.`,
  });
  dns.cnames.set(NAME, ['old.example']);
  expect((await domains.attach(NAME)).problem).toBe(`${NAME} leads to old.example, not to ${ENDPOINT}.`);
  // No tenant, and so no certificate, is asked for before the name leads here.
  expect(world.tenants.size).toBe(0);
  dns.cnames.set(NAME, [`${ENDPOINT.toUpperCase()}.`]);
  expect(await domains.attach(NAME)).toEqual({ status: 'pending-certificate' });
  expect(await domains.attach(NAME)).toEqual({ status: 'pending-certificate' });
  only().certificate = 'issued';
  expect(await domains.attach(NAME)).toEqual({ status: 'pending-certificate' });
  expect(only().customArn).toContain(':certificate/');
  expect(await domains.attach(NAME)).toEqual({ status: 'live' });
  expect(world.tenants.size).toBe(1);
});

test('the name of a zone leads here by the addresses that its DNS host gives', async () => {
  world.dns.addresses.set('shop.example', ['192.0.2.2']);
  expect(await world.domains.attach('shop.example')).toEqual({ status: 'pending-certificate' });
});

test('a certificate that was not issued is asked for again, once the name leads here', async () => {
  const { domains, dns } = world;
  dns.cnames.set(NAME, [ENDPOINT]);
  await domains.attach(NAME);
  only().certificate = 'validation-timed-out';
  dns.cnames.delete(NAME);
  expect(await domains.attach(NAME)).toMatchObject({ status: 'pending-dns' });
  dns.cnames.set(NAME, [ENDPOINT]);
  expect(await domains.attach(NAME)).toMatchObject({
    status: 'pending-certificate',
    problem: expect.stringContaining('validation-timed-out'),
  });
  expect(only().certificate).toBe('pending-validation');
});

test('a name that another distribution has', async () => {
  world.dns.cnames.set(NAME, [ENDPOINT]);
  world.elsewhere.add(NAME);
  expect(await world.domains.attach(NAME)).toMatchObject({
    status: 'failed',
    problem: expect.stringContaining('in use'),
  });
  world.elsewhere.clear();
  await world.domains.attach(NAME);
  only().distributionId = 'E2';
  expect(await world.domains.attach(NAME)).toMatchObject({ status: 'failed' });
  await world.domains.detach(NAME);
  expect(world.tenants.size).toBe(1);
});

test('a name that is given up is switched off and removed, and may come again', async () => {
  const { domains, dns } = world;
  dns.cnames.set(NAME, [ENDPOINT]);
  await domains.attach(NAME);
  await domains.detach(NAME);
  await domains.detach(NAME);
  expect(world.tenants.size).toBe(0);
  await domains.attach(NAME);
  only().enabled = false;
  expect(await domains.attach(NAME)).toEqual({ status: 'pending-certificate' });
  expect(only().enabled).toBe(true);
});

async function namesOf(list: AsyncIterable<string>): Promise<string[]> {
  const names: string[] = [];
  for await (const name of list) names.push(name);
  return names;
}

test('a tenant that CloudFront did not let go is found, and deleted when its edges know that it is disabled', async () => {
  const { domains, dns, tenants, state } = world;
  const names = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'];
  for (const name of names) {
    dns.cnames.set(name, [ENDPOINT]);
    await domains.attach(name);
  }
  state.isSlow = true;
  for (const name of names.slice(0, 4)) await domains.detach(name);
  expect(tenants.size).toBe(5);
  // Of another distribution, and still on its way.
  const [first, second] = [...tenants.values()] as [Tenant, Tenant];
  first.distributionId = 'E2';
  for (const tenant of tenants.values()) tenant.isSpreading = tenant === second;
  expect(await namesOf(domains.listDetached())).toEqual(['c.example', 'd.example']);
  expect(await domains.removeDetached('b.example')).toBe(false);
  expect(await domains.removeDetached('c.example')).toBe(true);
  expect(await domains.removeDetached('c.example')).toBe(true);
  for (const name of ['a.example', 'e.example']) expect(await domains.removeDetached(name)).toBe(false);
  expect([...tenants.values()].map(({ domain }) => domain)).toEqual([
    'a.example',
    'b.example',
    'd.example',
    'e.example',
  ]);
});

test('a name that is attached while what is left of it is removed is attached in the end', async () => {
  const { domains, dns, tenants, state } = world;
  dns.cnames.set(NAME, [ENDPOINT]);
  await domains.attach(NAME);
  state.isSlow = true;
  await domains.detach(NAME);
  only().isSpreading = false;
  // Enabled again after the sweep has read it, before it deletes.
  state.beforeChange = () => {
    state.beforeChange = undefined;
    Object.assign(only(), { enabled: true, version: only().version + 1 });
  };
  expect(await domains.removeDetached(NAME)).toBe(false);
  expect(only().enabled).toBe(true);
  // Deleted after the attachment has read it, before it enables.
  await domains.detach(NAME);
  only().isSpreading = false;
  state.beforeChange = () => {
    state.beforeChange = undefined;
    tenants.clear();
  };
  expect(await domains.attach(NAME)).toEqual({ status: 'pending-certificate' });
  expect([...tenants.values()].map(({ domain, enabled }) => [domain, enabled])).toEqual([[NAME, true]]);
});

test('the proof is the TXT record, and nothing that only looks like it', async () => {
  const proof = { type: 'TXT', name: `_veren.${NAME}`, value: 'veren=abc' } as const;
  expect(await world.domains.proves(proof)).toBe(false);
  world.dns.texts.set(proof.name, ['veren=abcd', 'x veren=abc']);
  expect(await world.domains.proves(proof)).toBe(false);
  world.dns.texts.set(proof.name, ['other', 'veren=abc']);
  expect(await world.domains.proves(proof)).toBe(true);
});

test('CloudFront that is away is an outage', async () => {
  world.state.isDown = true;
  for (const call of [world.domains.attach, world.domains.detach, world.domains.removeDetached])
    await expect(call(NAME)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(namesOf(world.domains.listDetached())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
