import { functionNamed, functionStatements } from './support/checks.ts';
import { resourcesOf, synthesize } from './support/synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever it is
const configure = (stage: any) => {
  stage.sites = { ...stage.sites, ownDomains: true };
};
const { templates } = synthesize('prod', { configure, nag: true });
// Not the dashboard's, which has no sites.
const distributions = resourcesOf(templates, 'AWS::CloudFront::Distribution').filter(({ stack }) => stack === 'Data');
const text = (value: unknown) => JSON.stringify(value);
const configOf = (isTenants: boolean) =>
  distributions.find(({ id }) => id.includes('Tenants') === isTenants)?.properties.DistributionConfig;

test('a distribution of tenants stands beside the sites’ own, which stays as it is', () => {
  const without = synthesize('prod').templates;
  expect(distributions).toHaveLength(2);
  expect(configOf(false)).toEqual(
    resourcesOf(without, 'AWS::CloudFront::Distribution')[0]?.properties.DistributionConfig,
  );
  expect(resourcesOf(without, 'AWS::CloudFront::ConnectionGroup')).toEqual([]);
});

test('tenants are answered by the same functions, origins and cache', () => {
  const tenants = configOf(true);
  expect(tenants.ConnectionMode).toBe('tenant-only');
  // What a distribution of tenants may not have.
  for (const name of ['Aliases', 'IPV6Enabled', 'PriceClass', 'Logging', 'ViewerCertificate'])
    expect(tenants).not.toHaveProperty(name);
  const behaviorOf = (isTenants: boolean) => {
    const { TargetOriginId: _, ...behavior } = configOf(isTenants).DefaultCacheBehavior;
    return behavior;
  };
  expect(behaviorOf(true)).toEqual(behaviorOf(false));
  expect(tenants.Origins.map(({ Id }: { Id: string }) => Id).sort()).toEqual(['files', 'site-function']);
});

test('both distributions and nobody else read files of sites', () => {
  const [allowed] = resourcesOf(templates, 'AWS::S3::BucketPolicy').flatMap((p) =>
    p.properties.PolicyDocument.Statement.filter((s: { Sid?: string }) => s.Sid === 'LiveSites'),
  );
  const sources = text(allowed.Condition);
  for (const { id } of distributions) expect(sources).toContain(`"${id}"`);
});

test('the API alone makes tenants, and writes routes for them', () => {
  const variables = functionNamed(templates, 'api')?.properties.Environment.Variables;
  for (const name of ['SITE_TABLE_ARN', 'TENANTS_DISTRIBUTION_ID', 'CONNECTION_GROUP_ID', 'CONNECTION_ENDPOINT'])
    expect(variables).toHaveProperty(name);
  const actions = functionStatements(templates, 'api').flatMap(({ Action }) => Action);
  expect(actions).toEqual(expect.arrayContaining(['cloudfront:CreateDistributionTenant']));
  expect(actions).toEqual(expect.arrayContaining(['cloudfront-keyvaluestore:UpdateKeys']));
  for (const name of ['site-fallback', 'build-worker', 'clone-worker', 'websocket'])
    expect(text(functionStatements(templates, name))).not.toMatch(/cloudfront/);
});
