import { serviceNames } from '../../lambdas/shared/adapters/aws/services/resourceNames.ts';
import { ConfigError } from '../../lib/config.ts';
import { type Resource, synthesize, type Template } from './support/synth.ts';

const withServices = (stage: Record<string, unknown>) => {
  stage.services = { enabled: true };
  stage.sites = { kind: 'cloudfront', ownDomains: true };
};
const { templates } = synthesize('dev', { configure: withServices, nag: true });
const ofType = (template: Template, type: string): Resource[] =>
  Object.values(template.Resources).filter((resource) => resource.Type === type);
const text = (value: unknown) => JSON.stringify(value);

interface Statement {
  Sid?: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}
const statementsOf = (logicalId: RegExp): Statement[] =>
  Object.entries(templates.Pipeline.Resources)
    .filter(([id, { Type }]) => Type === 'AWS::IAM::Policy' && logicalId.test(id))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
const actionsOf = ({ Action }: Statement) => [Action].flat();

test('with sites elsewhere there is nothing that leads to a backend', () => {
  const configure = (stage: Record<string, unknown>) => {
    stage.services = { enabled: true };
    stage.sites = { kind: 'none', urlTemplate: 'https://x.example/{projectId}' };
  };
  expect(() => synthesize('dev', { configure })).toThrow(ConfigError);
});

describe('both distributions', () => {
  const configs = ofType(templates.Data, 'AWS::CloudFront::Distribution').map((d) => d.Properties.DistributionConfig);
  test('take every method and forward what a browser sends, but the host', () => {
    expect(configs).toHaveLength(2);
    for (const { DefaultCacheBehavior: behavior } of configs) {
      expect(behavior.AllowedMethods).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']);
      // Managed-AllViewerExceptHostHeader. Source: CloudFront developer guide, "Use managed origin request policies".
      expect(behavior.OriginRequestPolicyId).toBe('b689b0a8-53d0-40ab-baf2-68738e2966ac');
    }
  });
  test('have both origins by the names that the function uses, and no group, which would take no POST', () => {
    for (const { Origins, OriginGroups, DefaultCacheBehavior } of configs) {
      expect(Origins.map(({ Id }: { Id: string }) => Id).sort()).toEqual(['files', 'site-function']);
      expect(OriginGroups).toBeUndefined();
      expect(DefaultCacheBehavior.TargetOriginId).toBe('files');
    }
  });
  test('keep requests to backends apart in the cache', () => {
    const [policy] = ofType(templates.Data, 'AWS::CloudFront::CachePolicy');
    const { HeadersConfig } = policy?.Properties.CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin ?? {};
    expect(HeadersConfig.Headers).toContain('x-veren-once');
  });
});

describe('the releaser', () => {
  const statements = statementsOf(/releaserRole/i);
  const bySid = (sid: string) => statements.find(({ Sid }) => Sid === sid) as Statement;
  test('makes functions of services and no other', () => {
    const { Resource } = bySid('ServiceFunctions');
    expect(text(Resource)).toContain(':function:veren-dev-service-*');
    for (const statement of statements)
      for (const action of actionsOf(statement))
        if (/^lambda:(Create|Update|Delete|Publish|Add)/.test(action)) expect(statement.Sid).toBe('ServiceFunctions');
  });
  test('no function of the platform has a name that it may change', () => {
    const names = ofType(templates.Pipeline, 'AWS::Lambda::Function').map((f) => f.Properties.FunctionName ?? '');
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(text(name)).not.toMatch(/^"veren-dev-service-/);
  });
  test('makes roles below one path, with the boundary, and hands them to Lambda alone', () => {
    const made = bySid('ServiceRoles');
    expect(text(made.Resource)).toContain(':role/veren/dev/ap-south-1/services/*');
    expect(Object.keys(made.Condition?.StringEquals ?? {})).toEqual(['iam:PermissionsBoundary']);
    expect(bySid('PassServiceRoles')).toMatchObject({
      Resource: made.Resource,
      Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
    });
    const iam = statements.flatMap((s) => actionsOf(s).filter((a) => a.startsWith('iam:')));
    expect(iam.sort()).toEqual([
      ...['iam:CreateRole', 'iam:DeleteRole', 'iam:DeleteRolePolicy', 'iam:GetRole'],
      ...['iam:PassRole', 'iam:PassRole', 'iam:PutRolePolicy'],
    ]);
  });
});

test('the boundary lets a backend write a log of services and do nothing else', () => {
  const [boundary] = ofType(templates.Pipeline, 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
    text(Properties).includes('service-boundary'),
  );
  expect(boundary?.Properties.PolicyDocument.Statement).toEqual([
    expect.objectContaining({ Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] }),
  ]);
  expect(text(boundary?.Properties.PolicyDocument)).toContain('log-group:/veren/dev/services/*:*');
});

test('schedules call production of services, for this account’s group only', () => {
  const [statement] = statementsOf(/ServicesSchedulerRole/);
  expect(statement).toMatchObject({ Action: 'lambda:InvokeFunction' });
  expect(text(statement?.Resource)).toContain(':function:veren-dev-service-*:production');
  const role = Object.entries(templates.Pipeline.Resources).find(([id]) => /^ServicesSchedulerRole/.test(id))?.[1];
  expect(Object.keys(role?.Properties.AssumeRolePolicyDocument.Statement[0].Condition)).toEqual([
    'StringEquals',
    'ArnEquals',
  ]);
});

test('Lambda may read users’ images for functions of services', () => {
  const images = ofType(templates.Data, 'AWS::ECR::Repository').find(({ Properties: p }) => p.RepositoryPolicyText);
  expect(images?.Properties.RepositoryName).toBe('my-backend');
  expect(images?.Properties.RepositoryPolicyText.Statement[0]).toMatchObject({
    Principal: { Service: 'lambda.amazonaws.com' },
    Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  });
});

test('what is made at run time has names that the rights reach', () => {
  const names = serviceNames('dev', 'ap-south-1');
  for (const projectId of ['shop', 'a'.repeat(63)]) {
    expect(names.functionName(projectId)).toMatch(/^veren-dev-service-/);
    expect(names.logGroup(projectId)).toMatch(/^\/veren\/dev\/services\//);
  }
  expect(names.rolePath).toBe('/veren/dev/ap-south-1/services/');
});
