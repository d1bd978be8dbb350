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
const MAKE_INTERFACE = 'ec2:CreateNetworkInterface';
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
        if (/^lambda:(Create|Update|Delete|Publish|Add)/.test(action))
          expect(statement.Resource).toEqual(bySid('ServiceFunctions').Resource);
  });
  test('attaches functions to the group of services and to no other', () => {
    const statement = bySid('ServiceFunctionsInTheirGroup');
    expect(actionsOf(statement)).toEqual(['lambda:CreateFunction', 'lambda:UpdateFunctionConfiguration']);
    const groups = statement.Condition?.['ForAllValues:StringEquals']?.['lambda:SecurityGroupIds'];
    expect(text(groups)).toMatch(/NetworkServices[0-9A-F]+GroupId/);
    for (const one of statements)
      for (const action of actionsOf(one))
        if (/^lambda:(CreateFunction$|UpdateFunctionConf)/.test(action)) expect(one.Sid).toBe(statement.Sid);
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

test('a group that a database may allow lets nobody in', () => {
  const [id, group] = Object.entries(templates.Network.Resources).find(
    ([key, { Type }]) => Type === 'AWS::EC2::SecurityGroup' && /^NetworkServices[0-9A-F]/.test(key),
  ) as [string, Resource];
  expect(group.Properties.SecurityGroupIngress).toBeUndefined();
  const rules = ofType(templates.Network, 'AWS::EC2::SecurityGroupIngress');
  expect(rules.filter(({ Properties }) => text(Properties.GroupId).includes(id))).toEqual([]);
  expect(text(templates.Network.Outputs?.ServicesSecurityGroup)).toContain(id);
});

test('the boundary lets a backend write a log of services, Lambda make interfaces, and code do nothing else', () => {
  const [boundary] = ofType(templates.Pipeline, 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
    text(Properties).includes('service-boundary'),
  );
  expect(boundary?.Properties.PolicyDocument.Statement).toEqual([
    expect.objectContaining({ Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] }),
    expect.objectContaining({ Effect: 'Allow', Resource: '*', Action: expect.arrayContaining([MAKE_INTERFACE]) }),
    expect.objectContaining({ Effect: 'Deny', Resource: '*', Action: expect.arrayContaining([MAKE_INTERFACE]) }),
  ]);
  const [, allowed, denied] = boundary?.Properties.PolicyDocument.Statement ?? [];
  expect(denied.Action).toEqual(allowed.Action);
  expect(text(denied.Condition)).toContain(':function:veren-dev-service-*');
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

describe('with backends that are always on', () => {
  const withAlwaysOn = (stage: Record<string, unknown>) => {
    withServices(stage);
    stage.services = { enabled: true, alwaysOn: { enabled: true } };
  };
  const { templates: on } = synthesize('dev', { configure: withAlwaysOn, nag: true });
  const ofOn = (stack: keyof typeof on, type: string) => ofType(on[stack], type);
  const releaser = Object.entries(on.Pipeline.Resources)
    .filter(([id, { Type }]) => /^releaserRole/.test(id) && /^AWS::IAM::(Managed)?Policy$/.test(Type))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);

  test('a stage without them has none of it', () => {
    for (const [stack, type] of [
      ['Data', 'AWS::ElasticLoadBalancingV2::LoadBalancer'],
      ['Data', 'AWS::CloudFront::VpcOrigin'],
    ] as const) {
      expect(ofOn(stack, type)).toHaveLength(1);
      expect(ofType(templates[stack], type)).toEqual([]);
    }
    expect(text(templates.Pipeline)).not.toMatch(/ecs:CreateService|elasticloadbalancing:/);
  });

  test('the load balancer is internal, answers 503 by itself, and lets CloudFront’s interfaces in alone', () => {
    const [balancer] = ofOn('Data', 'AWS::ElasticLoadBalancingV2::LoadBalancer');
    expect(balancer?.Properties).toMatchObject({ Scheme: 'internal', Name: 'veren-dev-services' });
    const [listener] = ofOn('Data', 'AWS::ElasticLoadBalancingV2::Listener');
    expect(listener?.Properties.DefaultActions).toEqual([
      expect.objectContaining({
        Type: 'fixed-response',
        FixedResponseConfig: expect.objectContaining({ StatusCode: '503' }),
      }),
    ]);
    const inbound = [
      ...ofOn('Network', 'AWS::EC2::SecurityGroupIngress'),
      ...ofOn('Data', 'AWS::EC2::SecurityGroupIngress'),
    ];
    const intoBalancer = inbound.filter(({ Properties }) => text(Properties.GroupId).includes('ServiceBalancer'));
    expect(intoBalancer.map(({ Properties: p }) => [p.FromPort, text(p.SourceSecurityGroupId)])).toEqual([
      [80, expect.stringContaining('SecurityGroups.0.GroupId')],
    ]);
    const intoTasks = inbound.filter(({ Properties }) => text(Properties.GroupId).includes('ServiceTasks'));
    expect(intoTasks).toHaveLength(1);
    expect(text(intoTasks[0]?.Properties.SourceSecurityGroupId)).toContain('ServiceBalancer');
  });

  test('tasks reach public addresses and nothing of a VPC', () => {
    const out = ofOn('Network', 'AWS::EC2::SecurityGroup').filter(({ Properties: p }) =>
      /^Tasks of backends: to public/.test(p.GroupDescription),
    );
    const blocks = out.flatMap(({ Properties: p }) => p.SecurityGroupEgress.map((r: { CidrIp: string }) => r.CidrIp));
    expect(blocks.length).toBeGreaterThan(20);
    for (const closed of ['0.0.0.0/0', '10.0.0.0/8', '10.40.0.0/16']) expect(blocks).not.toContain(closed);
  });

  test('both distributions know the balancer by the name that the function uses', () => {
    for (const { Properties } of ofOn('Data', 'AWS::CloudFront::Distribution')) {
      const origin = Properties.DistributionConfig.Origins.find(({ Id }: { Id: string }) => Id === 'balancer');
      expect(origin.VpcOriginConfig).toMatchObject({ OriginReadTimeout: 60 });
    }
    const code = ofOn('Data', 'AWS::CloudFront::Function').map(({ Properties }) => Properties.FunctionCode);
    expect(code.filter((one: string) => one.includes("const BALANCED = 'balanced' === 'balanced'"))).toHaveLength(1);
    const [origin] = ofOn('Data', 'AWS::CloudFront::VpcOrigin');
    expect(origin?.Properties.VpcOriginEndpointConfig.OriginProtocolPolicy).toBe('http-only');
  });

  test('the releaser changes nothing in the clusters of builders, and hands roles to Lambda and tasks alone', () => {
    const ends = ['service/veren-dev-services/*', 'task/veren-dev-services/*', 'task-definition/veren-dev-service-*:*'];
    for (const statement of releaser)
      for (const action of actionsOf(statement).filter((one) => /^ecs:(Create|Update|Delete|Tag)/.test(one)))
        for (const resource of [statement.Resource].flat())
          expect([action, ends.some((end) => text(resource).includes(end))]).toEqual([action, true]);
    const made = releaser.find(({ Sid }) => Sid === 'AlwaysOn');
    expect(text(made?.Condition?.ArnEquals)).toContain(':cluster/veren-dev-services');
    const passed = releaser.find(({ Sid }) => Sid === 'PassServiceRoles');
    expect(passed?.Condition?.StringEquals?.['iam:PassedToService']).toEqual([
      'lambda.amazonaws.com',
      'ecs-tasks.amazonaws.com',
    ]);
  });

  test('the releaser’s rules are of this balancer, and its target groups, secrets and alarms of services', () => {
    const bySid = (sid: string) => text(releaser.find(({ Sid }) => Sid === sid)?.Resource);
    expect(bySid('ServiceRules')).toContain(':listener-rule/app/veren-dev-services/*');
    expect(bySid('ServiceTargets')).toContain(':targetgroup/veren-dev-*/*');
    expect(bySid('ServiceSecrets')).toContain(':parameter/veren/dev/services/*');
    expect(bySid('ScalingAlarms')).toContain(':TargetTracking-service/veren-dev-services/*');
    const names = serviceNames('dev', 'ap-south-1');
    const id = { deploymentId: '01kb3xv7q8w9e1r2t3y4u5i6o1', variables: 3 };
    expect(names.targetGroup('a'.repeat(63), id)).toMatch(/^veren-dev-[0-9a-f]{22}$/);
    expect(names.family('shop', id)).toMatch(/^veren-dev-service-/);
  });

  test('no code in a task may do what its role may: the boundary names images, secrets of services and logs', () => {
    const [boundary] = ofOn('Pipeline', 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
      text(Properties).includes('service-boundary'),
    );
    const allowed: Statement[] = boundary?.Properties.PolicyDocument.Statement ?? [];
    const actions = allowed.flatMap(actionsOf);
    expect(actions.filter((action) => !/^(ec2|logs):/.test(action)).sort()).toEqual([
      ...['ecr:BatchGetImage', 'ecr:GetAuthorizationToken', 'ecr:GetDownloadUrlForLayer', 'ssm:GetParameters'],
    ]);
  });

  test('with a domain CloudFront speaks TLS with the balancer, by its name', () => {
    const certificateArn = 'arn:aws:acm:ap-south-1:123456789012:certificate/0a1b';
    const domain = { name: 'backends.example.com', certificateArn };
    const { templates: tls } = synthesize('dev', {
      configure: (stage) => {
        withAlwaysOn(stage);
        stage.services = { enabled: true, alwaysOn: { enabled: true, domain } };
      },
      nag: true,
    });
    const [origin] = ofType(tls.Data, 'AWS::CloudFront::VpcOrigin');
    expect(origin?.Properties.VpcOriginEndpointConfig.OriginProtocolPolicy).toBe('https-only');
    const [listener] = ofType(tls.Data, 'AWS::ElasticLoadBalancingV2::Listener');
    expect(listener?.Properties).toMatchObject({ Port: 443, Certificates: [{ CertificateArn: certificateArn }] });
    const [distribution] = ofType(tls.Data, 'AWS::CloudFront::Distribution');
    const balancer = distribution?.Properties.DistributionConfig.Origins.find(
      ({ Id }: { Id: string }) => Id === 'balancer',
    );
    expect(balancer.DomainName).toBe('backends.example.com');
  });

  test.each([
    [{ enabled: false, alwaysOn: { enabled: true } }, 'services.alwaysOn.enabled'],
    [
      {
        enabled: true,
        alwaysOn: {
          enabled: true,
          domain: { name: 'b.example.com', certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b' },
        },
      },
      'certificateArn',
    ],
  ])('%j is refused', (services, said) => {
    const configure = (stage: Record<string, unknown>) => {
      withServices(stage);
      stage.services = services;
    };
    expect(() => synthesize('dev', { configure })).toThrow(said);
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
