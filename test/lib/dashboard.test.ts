import { runInNewContext } from 'node:vm';
import { dashboardRequestCode } from '../../lib/constructs/dashboard/dashboard-hosting.ts';
import { resourcesOf, type Synthesized, synthesize } from './support/synth.ts';

const requestUri = (uri: string) => {
  const handler = runInNewContext(`${dashboardRequestCode()}; handler`) as (event: object) => {
    uri?: string;
    statusCode?: number;
    headers?: { location: { value: string } };
  };
  const answer = handler({ request: { uri, headers: {} } });
  return answer.statusCode ? [answer.statusCode, answer.headers?.location.value] : answer.uri;
};

test.each([
  ['/', [302, '/dashboard/']],
  ['/dashboard', '/dashboard/index.html'],
  ['/dashboard/', '/dashboard/index.html'],
  ['/dashboard/projects/shop/variables', '/dashboard/index.html'],
  ['/dashboard/projects/assets', '/dashboard/index.html'],
  ['/dashboard/assets/main-1.js', '/dashboard/assets/main-1.js'],
  ['/docs', '/docs/index.html'],
  ['/docs/', '/docs/index.html'],
  ['/docs/assets/reference-1.js', '/docs/assets/reference-1.js'],
  ['/ws', '/live'],
  ['/follow/deployments/x1/logs', '/live/deployments/x1/logs'],
  ['/projects/shop', '/projects/shop'],
  ['/hooks/github/shop', '/hooks/github/shop'],
  ['/dashboards', '/dashboards'],
])('behind one host name %s is %j', (uri, expected) => {
  expect(requestUri(uri)).toEqual(expected);
});

const synthesized = new Map<string, Synthesized>();
const stage = (name: string, dashboard?: object) => {
  const made =
    synthesized.get(name) ??
    synthesize('prod', { configure: (json) => Object.assign(json, dashboard && { dashboard }), nag: true });
  synthesized.set(name, made);
  return made.templates;
};
const distributionOf = (templates: Synthesized['templates']) =>
  resourcesOf(templates, 'AWS::CloudFront::Distribution').find(({ id }) => id.startsWith('Dashboard'))?.properties
    .DistributionConfig;

describe('the dashboard on AWS', () => {
  test('pages and what they load come from the bucket, everything else from the APIs, uncached', () => {
    const { DefaultCacheBehavior, CacheBehaviors, Origins } = distributionOf(stage('usual'));
    const hostOf = (id: string) => {
      const { CustomOriginConfig } = Origins.find((origin: { Id: string }) => origin.Id === id);
      return CustomOriginConfig ? CustomOriginConfig.OriginProtocolPolicy : 'bucket';
    };
    const seen = [DefaultCacheBehavior, ...CacheBehaviors].map((behavior) => [
      behavior.PathPattern ?? '*',
      hostOf(behavior.TargetOriginId),
      behavior.AllowedMethods.length,
      'ResponseHeadersPolicyId' in behavior,
      behavior.FunctionAssociations.length,
      behavior.ViewerProtocolPolicy,
    ]);
    const file = (path: string) => [path, 'bucket', 2, true, 1, 'redirect-to-https'];
    const api = (path: string) => [path, 'https-only', 7, false, 1, 'redirect-to-https'];
    expect(seen).toEqual([
      api('*'),
      ...['/dashboard', '/dashboard/*', '/docs', '/docs/*'].map(file),
      ...['/ws', '/follow/*'].map(api),
    ]);
  });

  test('a page connects to its own host alone, is in no frame and runs nothing inline', () => {
    const policies = resourcesOf(stage('usual'), 'AWS::CloudFront::ResponseHeadersPolicy')
      .filter(({ id }) => id.startsWith('Dashboard'))
      .map(({ properties }) => properties.ResponseHeadersPolicyConfig.SecurityHeadersConfig);
    expect(policies).toHaveLength(2);
    for (const { ContentSecurityPolicy, FrameOptions, StrictTransportSecurity } of policies) {
      const text: string = ContentSecurityPolicy.ContentSecurityPolicy;
      for (const part of ["default-src 'none'", "connect-src 'self';", "frame-ancestors 'none'"])
        expect(`${text};`).toContain(part);
      expect(text).not.toMatch(/unsafe|https?:|\*/);
      expect([ContentSecurityPolicy.Override, FrameOptions.FrameOption]).toEqual([true, 'DENY']);
      expect(StrictTransportSecurity.AccessControlMaxAgeSec).toBe(31_536_000);
    }
  });

  test('the API lets in no page of another origin, and leads to the reference page', () => {
    const apis = resourcesOf(stage('usual'), 'AWS::ApiGatewayV2::Api');
    expect(apis.filter(({ properties }) => 'CorsConfiguration' in properties)).toEqual([]);
    const routes = resourcesOf(stage('usual'), 'AWS::ApiGatewayV2::Route').map((r) => r.properties.RouteKey);
    expect(routes).toEqual(expect.arrayContaining(['GET /docs', 'GET /docs/{proxy+}']));
  });

  test('one function writes the bucket, and CloudFront alone reads it', () => {
    const templates = stage('usual');
    const bucketId = resourcesOf(templates, 'AWS::S3::Bucket').find(({ id }) => id.startsWith('Dashboard'))!.id;
    const writers = resourcesOf(templates, 'AWS::IAM::Policy')
      .filter(({ properties }) => JSON.stringify(properties).includes(bucketId))
      .map(({ id }) => id);
    expect(writers).toEqual([expect.stringMatching(/^DashboardFilesUploaderRole/)]);
    const policy = resourcesOf(templates, 'AWS::S3::BucketPolicy').find((p) => p.properties.Bucket.Ref === bucketId)!;
    const allowed = policy.properties.PolicyDocument.Statement.filter((s: { Effect: string }) => s.Effect === 'Allow');
    expect(allowed).toHaveLength(1);
    expect(allowed[0]).toMatchObject({ Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } });
    expect(JSON.stringify(allowed[0].Condition)).toContain('AWS:SourceArn');
  });

  test('it can have a name of its own, and can be switched off', () => {
    const named = stage('named', {
      domain: {
        name: 'veren.example.com',
        certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/x',
        hostedZoneId: 'Z1',
        hostedZoneName: 'example.com',
      },
    });
    expect(distributionOf(named)).toMatchObject({
      Aliases: ['veren.example.com'],
      ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021' },
    });
    expect(named.Pipeline.Outputs?.DashboardUrl?.Value).toBe('https://veren.example.com/dashboard/');
    expect(distributionOf(stage('off', { enabled: false }))).toBeUndefined();
  }, 60_000);
});
