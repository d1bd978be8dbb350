import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import ipaddr from 'ipaddr.js';
import {
  longestSessionPolicy,
  SESSION_POLICY_LIMIT,
} from '../../lambdas/build-worker/services/longestSessionPolicy.ts';
import { loadConfig, type Stage } from '../../lib/config.ts';
import { denyOthers } from '../../lib/constructs/build-role.ts';
import { complementOf, NOT_PUBLIC } from '../../lib/constructs/public-addresses.ts';
import { findNameCollisions } from '../../lib/names.ts';
import { checkSessionPolicy } from '../../lib/session-policy.ts';
import { CHECKS, functionNamed, functionStatements, statements } from './support/checks.ts';
import { cdkJson, pointsAt, ROOT, resourcesOf, synthesize, type Templates } from './support/synth.ts';

/** What differs between accounts, networks and organisations, and what a first deployment leaves behind when it fails. */

// biome-ignore lint/suspicious/noExplicitAny: a stage of cdk.json, to be changed
type Json = any;
const text = (value: unknown) => JSON.stringify(value);
const prod = synthesize('prod');

describe('a first deployment that fails can be tried again', () => {
  test('nothing with a name stays; and what stays later keeps what it cannot be without', () => {
    const policies = new Map<string, string[]>();
    // The dashboard's files are made out of this repository each time.
    for (const template of Object.values(prod.templates))
      for (const [id, { Type, DeletionPolicy = 'Delete' }] of Object.entries(template.Resources))
        if (!id.startsWith('DashboardBucket'))
          policies.set(Type, [...new Set([...(policies.get(Type) ?? []), DeletionPolicy])]);
    expect([...policies].filter(([, found]) => found.includes('Retain'))).toEqual([]);
    expect(policies.get('AWS::Logs::LogGroup')).toEqual(['Delete']);
    for (const type of [
      'AWS::MSK::Cluster',
      'AWS::MSK::Configuration',
      'AWS::ElastiCache::ReplicationGroup',
      'AWS::ElastiCache::User',
      'AWS::ElastiCache::UserGroup',
      'AWS::ElastiCache::SubnetGroup',
      'AWS::ElastiCache::ParameterGroup',
      'AWS::EC2::VPC',
      'AWS::EC2::Subnet',
      'AWS::S3::Bucket',
    ])
      expect([type, policies.get(type)]).toEqual([type, ['RetainExceptOnCreate']]);
  });

  test('groups of brokers and Redis stay with them; dev keeps nothing', () => {
    const kept = resourcesOf(prod.templates, 'AWS::EC2::SecurityGroup').filter(
      (g) => g.resource.DeletionPolicy === 'RetainExceptOnCreate',
    );
    expect(kept.map((g) => g.properties.GroupDescription.split(':')[0]).sort()).toEqual(['Brokers', 'Valkey']);
    const dev = synthesize('dev');
    expect(text(dev.templates)).not.toMatch(/"DeletionPolicy":"Retain/);
  });

  test('service-linked roles are made in the first stack, and one that exists is no failure', () => {
    const calls = resourcesOf(prod.templates, 'Custom::AWS').filter((r) =>
      text(r.properties).includes('createServiceLinked'),
    );
    expect(calls.map((c) => c.stack)).toEqual(['Network', 'Network', 'Network']);
    for (const { properties } of calls) {
      const create = JSON.parse(properties.Create);
      expect(create.ignoreErrorCodesMatching).toBe('InvalidInput');
      expect(properties).not.toHaveProperty('Delete');
    }
    expect(calls.map((c) => JSON.parse(c.properties.Create).parameters.AWSServiceName).sort()).toEqual([
      'ecs.amazonaws.com',
      'elasticache.amazonaws.com',
      'kafka.amazonaws.com',
    ]);
    const allowed = statements(prod.templates).filter((s) => s.Action.includes('iam:CreateServiceLinkedRole'));
    expect(allowed.every((s) => text(s.Condition).includes('iam:AWSServiceName'))).toBe(true);
  });
});

test('images of Lambda have microdnf, which takes 0 and 1 alone for a switch', () => {
  const dockerfiles = readdirSync(join(ROOT, 'lambdas')).filter((name) => name.endsWith('Dockerfile'));
  expect(dockerfiles).toEqual(['git.Dockerfile']);
  for (const name of dockerfiles) {
    const file = readFileSync(join(ROOT, 'lambdas', name), 'utf8');
    expect(file).toContain('public.ecr.aws/lambda/');
    expect(file).not.toMatch(/--setopt=\w+=(?:true|false|yes|no)\b/i);
    expect(file).toMatch(/--setopt=install_weak_deps=0 /);
  }
});

describe('images', () => {
  const builds = resourcesOf(prod.templates, 'Custom::CDKContainerImageBuild');
  test('are tagged with a hash, each with its own, in repositories where a tag never moves', () => {
    const tags = builds.map((b) => b.properties.imageTag);
    expect(tags).toHaveLength(8);
    for (const tag of tags) expect(tag).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(tags.slice(0, 5)).size).toBe(5);
    for (const { properties } of resourcesOf(prod.templates, 'AWS::ECR::Repository'))
      expect(properties.ImageTagMutability).toBe('IMMUTABLE');
  });
  test('the hash is the same in a second synth, and another one for another architecture', () => {
    const tags = (templates: Templates) =>
      resourcesOf(templates, 'Custom::CDKContainerImageBuild').map((b) => b.properties.imageTag);
    const x86 = synthesize('prod', { configure: (s: Json) => (s.functions = { architecture: 'x86_64' }) });
    expect(tags(x86.templates).slice(0, 5)).toEqual(tags(prod.templates).slice(0, 5));
    expect(tags(x86.templates).slice(5)).not.toEqual(tags(prod.templates).slice(5));
  });
  test('what is there already is not built again; a failed build links to the log that exists', () => {
    for (const { properties, stack } of resourcesOf(prod.templates, 'AWS::CodeBuild::Project')) {
      const commands: string[] = JSON.parse(properties.Source.BuildSpec).phases.build.commands;
      expect(commands[0]).toContain('imageTag=$imageTag');
      expect(commands[1]).toContain('aws ecr describe-images');
      for (const command of commands.slice(2)) expect(command).toMatch(/^\[ "\$kept" = yes \] \|\| /);
      // The library's message names /aws/codebuild/<project>.
      const group = pointsAt(prod.templates, stack, properties.LogsConfig.CloudWatchLogs.GroupName);
      const logs = resourcesOf(prod.templates, 'AWS::Logs::LogGroup').find((g) => `${g.stack}.${g.id}` === group);
      expect(logs?.properties.LogGroupName).toBe(`/aws/codebuild/${properties.Name}`);
    }
  });
});

test('asynchronous invokes that fail for good are told to the queue that the alarm watches', () => {
  const configs = resourcesOf(prod.templates, 'AWS::Lambda::EventInvokeConfig');
  const names = configs.map((c) => pointsAt(prod.templates, c.stack, c.properties.FunctionName));
  const id = (name: string) => `Pipeline.${functionNamed(prod.templates, name)?.id}`;
  expect(names.sort()).toEqual(
    ['build-worker', 'clone-worker', 'git-worker', 'releaser', 'task-watcher'].map(id).sort(),
  );
  for (const { properties } of configs) {
    expect(properties).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3_600 });
    expect(text(properties.DestinationConfig.OnFailure)).toContain('Undelivered');
  }
  for (const name of ['build-worker', 'clone-worker', 'task-watcher'])
    expect(functionStatements(prod.templates, name).some((s) => s.Action.includes('sqs:SendMessage'))).toBe(true);
});

describe('the network of builds', () => {
  const blocks = complementOf(NOT_PUBLIC);
  const inside = (address: string, list: readonly string[]) =>
    list.some((block) => ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(block)));

  test.each([
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ])('%s is closed', (address) => expect(inside(address, blocks)).toBe(false));
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '140.82.112.3',
    '223.255.255.255',
    '8.8.8.8',
  ])('%s is open', (address) => expect(inside(address, blocks)).toBe(true));

  const rules = (templates: Templates, description: RegExp) =>
    resourcesOf(templates, 'AWS::EC2::SecurityGroup')
      .filter((g) => description.test(g.properties.GroupDescription))
      .flatMap((g) => [
        ...(g.properties.SecurityGroupEgress ?? []),
        ...resourcesOf(templates, 'AWS::EC2::SecurityGroupEgress')
          .filter((r) => pointsAt(templates, r.stack, r.properties.GroupId) === `${g.stack}.${g.id}.GroupId`)
          .map((r) => r.properties),
      ]);

  test('no rule of a builder opens a private address, but to the brokers', () => {
    for (const rule of rules(prod.templates, /^Builder tasks/)) {
      if (rule.CidrIp === undefined) {
        expect(text(rule.DestinationSecurityGroupId)).toContain('Kafka');
        expect(rule.FromPort).toBe(9_098);
      } else if (rule.CidrIp !== '255.255.255.255/32') {
        const [address, bits] = ipaddr.IPv4.parseCIDR(rule.CidrIp);
        for (const block of NOT_PUBLIC) {
          const [other, otherBits] = ipaddr.IPv4.parseCIDR(block);
          expect(address.match(other, Math.min(bits, otherBits))).toBe(false);
        }
        expect([80, 443]).toContain(rule.FromPort);
      }
    }
  });

  test('every group has at most the 60 rules that AWS takes', () => {
    for (const group of resourcesOf(prod.templates, 'AWS::EC2::SecurityGroup'))
      expect((group.properties.SecurityGroupEgress ?? []).length).toBeLessThanOrEqual(60);
  });

  test('a VPC of public addresses and what the configuration closes are closed too; too many rules are refused', () => {
    expect(inside('203.0.113.9', complementOf([...NOT_PUBLIC, '203.0.113.0/24']))).toBe(false);
    const closedToBuilds = ['3.0.0.0/30', '5.0.0.0/30', '7.0.0.0/30', '9.0.0.0/30'];
    const { stages } = cdkJson().context;
    stages.dev.network.closedToBuilds = closedToBuilds;
    expect(() => loadConfig('dev', stages)).toThrow(
      /stages.dev.network.closedToBuilds is .*; allowed is blocks that need at most 120 rules/,
    );
  });

  test('given Kafka, Redis and DNS servers are reached at their ports and nowhere else', () => {
    const configure = (s: Json) => {
      s.kafka = {
        kind: 'given',
        brokers: 'a.example:9096,b.example:9196',
        security: 'scram',
        secretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:kafka-AbCdEf',
        builderSecretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:kafka-builders-AbCdEf',
        secretKeyArn: 'arn:aws:kms:ap-south-1:123456789012:key/1',
        peers: ['10.9.0.0/16', 'sg-12345678'],
        topics: 'deployment',
      };
      s.redis = {
        kind: 'given',
        url: 'rediss://redis.example:6390',
        secretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:redis-AbCdEf',
        secretKeyArn: 'arn:aws:kms:ap-south-1:123456789012:key/2',
        peers: ['10.8.0.0/16'],
      };
      s.network.dnsServers = ['10.7.0.2/32'];
    };
    const { templates } = synthesize('dev', { configure, nag: true });
    const opened = (description: RegExp) =>
      rules(templates, description)
        .filter((r) => ![80, 443].includes(r.FromPort) && r.CidrIp !== '255.255.255.255/32')
        .map((r) => `${r.IpProtocol} ${r.FromPort} ${r.CidrIp ?? text(r.DestinationSecurityGroupId)}`)
        .sort();
    const both = [
      'tcp 53 10.7.0.2/32',
      'tcp 9096 "sg-12345678"',
      'tcp 9096 10.9.0.0/16',
      'tcp 9196 "sg-12345678"',
      'tcp 9196 10.9.0.0/16',
      'udp 53 10.7.0.2/32',
    ];
    expect(opened(/^Builder tasks/)).toEqual(both);
    expect(opened(/^Functions/)).toEqual([...both, 'tcp 6390 10.8.0.0/16'].sort());
    // Passwords under keys of the account's own can be read by those who log in.
    for (const name of ['api', 'event-projector', 'kafka-topics']) {
      const keys = functionStatements(templates, name).filter((s) => s.Action.includes('kms:Decrypt'));
      expect([name, keys.some((s) => text(s.Resource).includes('key/1'))]).toEqual([name, true]);
      expect(keys.every((s) => text(s.Condition).includes('kms:ViaService'))).toBe(true);
    }
    expect(text(functionStatements(templates, 'log-streamer'))).toContain('key/2');
    expect(
      functionStatements(templates, 'kafka-topics').some((s) => s.Action.includes('secretsmanager:GetSecretValue')),
    ).toBe(true);
  }, 60_000);
});

describe('other accounts', () => {
  const checked = (stage: Stage, options: Parameters<typeof synthesize>[1]) => {
    const made = synthesize(stage, { ...options, nag: true });
    expect(Object.entries(CHECKS).flatMap(([name, check]) => check(made).map((f) => `${name}: ${f}`))).toEqual([]);
    return made;
  };
  test('a bootstrap qualifier of one’s own', () => {
    const { templates } = checked('dev', { context: { '@aws-cdk/core:bootstrapQualifier': 'acme123' } });
    expect(text(templates)).toContain('cdk-acme123-assets-');
  }, 60_000);
  test.each(['cn-north-1', 'us-gov-west-1'])(
    'another partition: %s',
    (region) => {
      checked('dev', {
        configure: (s: Json) =>
          Object.assign(s, { region, sites: { kind: 'none', urlTemplate: 'https://{projectId}.example.com' } }),
      });
    },
    60_000,
  );

  test('a permissions boundary of the organisation takes the place of the build role’s; denials keep what that said', () => {
    const { templates } = checked('prod', {
      context: { '@aws-cdk/core:permissionsBoundary': { name: 'org-boundary' } },
    });
    const role = resourcesOf(templates, 'AWS::IAM::Role').find(
      (r) => r.properties.RoleName === 'veren-prod-ap-south-1-build',
    );
    expect(text(role?.properties.PermissionsBoundary)).toContain('org-boundary');
    const denials = role?.properties.Policies.find((p: { PolicyName: string }) => p.PolicyName === 'nothing-else');
    const found: { Effect: string; NotAction?: string[]; NotResource?: unknown }[] = denials.PolicyDocument.Statement;
    expect(found.every((s) => s.Effect === 'Deny')).toBe(true);
    const allowed = resourcesOf(prod.templates, 'AWS::IAM::ManagedPolicy').flatMap((p) =>
      p.properties.PolicyDocument.Statement.flatMap((s: { Action: string | string[] }) => s.Action),
    );
    expect([...(found[0]?.NotAction ?? [])].sort()).toEqual([...new Set(allowed)].sort());
    expect(text(found)).toContain('__outputs/*');
    const without = resourcesOf(prod.templates, 'AWS::IAM::Role').find(
      (r) => r.properties.RoleName === 'veren-prod-ap-south-1-build',
    );
    expect(without?.properties.Policies).toHaveLength(1);
  }, 60_000);

  test('denials leave what is allowed and nothing else', () => {
    const [others, objects] = denyOthers([
      new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:b/x/*'] }),
      new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:b/y/*'] }),
      new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
    ]).map((s) => s.toStatementJson());
    expect(others).toMatchObject({
      Effect: 'Deny',
      NotAction: ['s3:GetObject', 'ecr:GetAuthorizationToken'],
      Resource: '*',
    });
    expect(objects).toMatchObject({ Effect: 'Deny', Action: 's3:GetObject', NotResource: ['arn:b/x/*', 'arn:b/y/*'] });
  });
});

describe('two stages in one account', () => {
  const load = (change: (stages: Json) => void) => {
    const { stages } = cdkJson().context;
    change(stages);
    return { dev: loadConfig('dev', stages), prod: loadConfig('prod', stages) };
  };
  const apart = (stage: Json) => {
    Object.assign(stage, { bucketName: 'veren-prod-{account}-{region}', userImageRepository: 'prod-backend' });
    Object.assign(stage.builders, {
      frontendCluster: 'prod-builder',
      backendCluster: 'prod-backend-builder',
      namePrefix: 'prod-',
    });
  };
  const account = '123456789012';

  test('names that would collide are told, by their keys', () => {
    const { dev, prod } = load((s) => {
      s.dev.account = account;
      s.prod.account = account;
    });
    expect(findNameCollisions(prod, [dev]).certain.join()).toMatch(
      /^Stages prod and dev have the same bucketName, userImageRepository, builders\.frontendCluster, builders\.backendCluster, builders\.namePrefix in ap-south-1:/,
    );
  });
  test('where an account is left to the credentials it is a warning; elsewhere nothing', () => {
    const loose = load(() => undefined);
    expect(findNameCollisions(loose.dev, [loose.prod])).toMatchObject({
      certain: [],
      possible: [expect.stringContaining('one account')],
    });
    const regions = load((s) => (s.prod.region = 'eu-central-1'));
    expect(findNameCollisions(regions.dev, [regions.prod])).toEqual({ certain: [], possible: [] });
    const accounts = load(
      (s) => Object.assign(s.dev, { account }) && Object.assign(s.prod, { account: '999999999999' }),
    );
    expect(findNameCollisions(accounts.dev, [accounts.prod])).toEqual({ certain: [], possible: [] });
  });
  test('with names of its own the second stage has none of the first’s', () => {
    const { dev, prod: second } = load((s) => apart(s.prod));
    expect(findNameCollisions(second, [dev])).toEqual({ certain: [], possible: [] });
    const other = synthesize('prod', { configure: apart as never });
    const first = synthesize('dev');
    const names = (templates: Templates) =>
      Object.values(templates).flatMap((t) =>
        Object.values(t.Resources).flatMap((r) =>
          Object.entries(r.Properties ?? {})
            .filter(
              ([key, value]) =>
                /^(.*Name|Family|ReplicationGroupId|UserGroupId|UserId|Name)$/.test(key) && typeof value === 'string',
            )
            .filter(
              ([key]) =>
                ![
                  'ParameterGroupFamily',
                  'UserName',
                  'StageName',
                  'MetricName',
                  'PolicyName',
                  'DefinitionName',
                  'RepositoryUri',
                ].includes(key),
            )
            .map(([key, value]) => `${r.Type} ${key} ${value}`),
        ),
      );
    const taken = new Set(names(first.templates));
    const shared = names(other.templates).filter(
      (name) => taken.has(name) && !/ValidationRegex|InstanceTenancy|VpcEndpointType|ServiceName/.test(name),
    );
    expect(shared).toEqual([]);
    const worker = functionNamed(other.templates, 'build-worker')?.properties.Environment.Variables;
    expect(worker).toMatchObject({
      TASK20: 'prod-builder-task-20',
      AWS_FRONTEND_CLUSTER: 'prod-builder',
      FRONTEND20CONTAINER: 'builder-task-20-image',
    });
    expect(functionNamed(other.templates, 'task-watcher')?.properties.Environment.Variables.BUILDER_CLUSTERS).toBe(
      'prod-builder,prod-backend-builder',
    );
  }, 60_000);
});

describe('options', () => {
  const { templates } = synthesize('dev', {
    nag: true,
    configure: (s: Json) => {
      s.tags = { team: 'platform', 'cost-center': '42' };
      s.functions = {
        tracing: true,
        reservedConcurrency: { 'log-streamer': 20, 'site-fallback': 10, 'event-projector': 5, api: 50 },
      };
      s.network.endpoints = ['ecr', 'logs', 'sts', 'secretsmanager', 'lambda', 'ecs', 'sqs', 'monitoring'];
      s.network.zones = ['ap-south-1c', 'ap-south-1a'];
      s.api = {
        domain: {
          name: 'api.example.com',
          certificateArn: 'arn:aws:acm:ap-south-1:123456789012:certificate/1',
          hostedZoneId: 'Z123',
          hostedZoneName: 'example.com',
        },
      };
    },
  });
  test('tags are on everything that takes them, and tasks inherit those of their definition', () => {
    for (const type of [
      'AWS::Lambda::Function',
      'AWS::ECS::TaskDefinition',
      'AWS::S3::Bucket',
      'AWS::MSK::Cluster',
      'AWS::ElastiCache::ReplicationGroup',
    ])
      for (const { properties, id } of resourcesOf(templates, type).filter((r) => !r.id.startsWith('CustomS3')))
        expect([id, text(properties.Tags)]).toEqual([id, expect.stringContaining('platform')]);
    const may = functionStatements(templates, 'build-worker').filter((s) => s.Action.includes('ecs:TagResource'));
    expect(may.length).toBeGreaterThan(0);
    expect(may.every((s) => text(s.Condition).includes('RunTask'))).toBe(true);
  });
  test('reserved concurrency is off by default, and on where it is asked for', () => {
    const reserved = (t: Templates) =>
      resourcesOf(t, 'AWS::Lambda::Function')
        .filter((f) => f.properties.ReservedConcurrentExecutions !== undefined)
        .map((f) => [f.properties.FunctionName, f.properties.ReservedConcurrentExecutions]);
    expect(reserved(prod.templates)).toEqual([]);
    expect(Object.fromEntries(reserved(templates))).toEqual({
      'veren-dev-api': 50,
      'veren-dev-event-projector': 5,
      'veren-dev-log-streamer': 20,
      'veren-dev-site-fallback': 10,
    });
  });
  test('tracing is off by default, and on for every function of ours', () => {
    const traced = (t: Templates) =>
      resourcesOf(t, 'AWS::Lambda::Function').filter((f) => f.properties.TracingConfig).length;
    expect(traced(prod.templates)).toBe(0);
    const ours = resourcesOf(templates, 'AWS::Lambda::Function').filter((f) =>
      String(f.properties.FunctionName).startsWith('veren-'),
    );
    expect(ours.length).toBeGreaterThan(9);
    expect(ours.every((f) => f.properties.TracingConfig?.Mode === 'Active')).toBe(true);
  });
  test('endpoints are open to functions and builders, and builders may go there', () => {
    expect(
      resourcesOf(templates, 'AWS::EC2::VPCEndpoint').filter((e) => e.properties.VpcEndpointType === 'Interface'),
    ).toHaveLength(9);
    const endpoints = resourcesOf(templates, 'AWS::EC2::SecurityGroup').find((g) =>
      /^AWS services/.test(g.properties.GroupDescription),
    );
    const into = resourcesOf(templates, 'AWS::EC2::SecurityGroupEgress').filter((r) =>
      text(r.properties.DestinationSecurityGroupId).includes(endpoints?.id ?? ''),
    );
    expect(into.map((r) => r.properties.FromPort)).toEqual(expect.arrayContaining([443, 443]));
  });
  test('zones are those that are named', () => {
    const zones = resourcesOf(templates, 'AWS::EC2::Subnet').map((s) => s.properties.AvailabilityZone);
    expect([...new Set(zones)].sort()).toEqual(['ap-south-1a', 'ap-south-1c']);
  });
  test('the API has its own name', () => {
    expect(resourcesOf(templates, 'AWS::ApiGatewayV2::DomainName').map((d) => d.properties.DomainName)).toEqual([
      'api.example.com',
    ]);
    expect(templates.Pipeline.Outputs?.ApiUrl?.Value).toBe('https://api.example.com');
  });
});

test('the session policies of the longest names fit what STS takes', () => {
  const configure = (s: Json) => {
    s.kafka = {
      kind: 'given',
      brokers: 'b.example:9098',
      security: 'iam',
      clusterArn: `arn:aws:kafka:ap-south-1:123456789012:cluster/${'k'.repeat(64)}/11111111-2222-3333-4444-555555555555-12`,
      peers: ['10.9.0.0/16'],
    };
    s.bucketName = 'b'.repeat(63);
    s.userImageRepository = 'r'.repeat(256);
  };
  expect(() => synthesize('dev', { configure })).not.toThrow();
  const resources = {
    buildRoleArn: '',
    bucketArn: `arn:aws-us-gov:s3:::${'b'.repeat(63)}`,
    userImagesArn: '',
    kafkaClusterArn: 'k',
  };
  expect(longestSessionPolicy(resources)).toBeLessThan(SESSION_POLICY_LIMIT);
  const config = loadConfig('dev', cdkJson().context.stages);
  expect(() => checkSessionPolicy(config, () => SESSION_POLICY_LIMIT + 1)).toThrow(/STS takes 2048/);
});
