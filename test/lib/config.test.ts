import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, ConfigSchema, loadConfig, STAGES } from '../../lib/config.ts';
import { cdkJson, ROOT } from './support/synth.ts';

/** The message for a stage of cdk.json that was changed. */
function messageFor(change: (stage: Record<string, never>) => void, stage = 'dev'): string {
  const { stages } = cdkJson().context;
  change(stages[stage]);
  try {
    loadConfig(stage, stages);
  } catch (e) {
    expect(e).toBeInstanceOf(ConfigError);
    return (e as Error).message;
  }
  throw new Error('the configuration was accepted');
}
// biome-ignore lint/suspicious/noExplicitAny: made to be wrong
type Wrong = any;

test.each(STAGES)('cdk.json: stage %s is valid', (stage) => {
  expect(loadConfig(stage, cdkJson().context.stages).stage).toBe(stage);
});

test.each<[string, (s: Wrong) => void, string]>([
  [
    'a number out of range',
    (s) => (s.network.natGateways = 7),
    'stages.dev.network.natGateways is 7; allowed is a whole number from 0 to 3.',
  ],
  [
    'a word for a number',
    (s) => (s.limits.global = 'ten'),
    'stages.dev.limits.global is "ten"; allowed is a whole number from 1 to 1000.',
  ],
  [
    'a value of a list',
    (s) => (s.logRetentionDays = 31),
    'stages.dev.logRetentionDays is 31; allowed is one of 1, 3, 5',
  ],
  [
    'an unknown key',
    (s) => (s.network.natGateway = 1),
    'stages.dev.network.natGateway is not a key of the configuration.',
  ],
  ['a missing part', (s) => delete s.redis, 'stages.dev.redis is missing; allowed is "valkey" or "given".'],
  [
    'an unknown kind',
    (s) => (s.kafka.kind = 'confluent'),
    'stages.dev.kafka.kind is "confluent"; allowed is "msk", "broker" or "given".',
  ],
  [
    'memory that Fargate does not offer',
    (s) => (s.builders.frontend.memoryMiB = 3_000),
    'stages.dev.builders.frontend.memoryMiB is 3000; allowed is with cpu 2048: 4096 to 16384 in steps of 1024.',
  ],
  [
    'a NAT instance of no type',
    (s) => Object.assign(s.network, { natGateways: 0, natInstanceType: 'small' }),
    'stages.dev.network.natInstanceType is "small"; allowed is an EC2 instance type, e.g. t4g.nano',
  ],
  [
    'brokers that no zone can hold evenly',
    (s) => (s.kafka.brokers = 3),
    'stages.dev.kafka.brokers is 3; allowed is a multiple of the 2 availability zones',
  ],
  [
    'more builds of an owner than of all',
    (s) => (s.limits.owners = { ann: { builds: 999 } }),
    'stages.dev.limits.owners.ann.builds is 999; allowed is at most limits.global (10).',
  ],
  [
    'more owners with limits of their own than a variable can hold',
    (s) => (s.limits.owners = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`o${i}`, { builds: 1 }]))),
    'allowed is at most 1500 characters as JSON',
  ],
  ['limits the wrong way round', (s) => (s.limits.perProject = 9), 'allowed is perProject <= perOwner <= global.'],
  [
    'a certificate of another region',
    (s) =>
      (s.sites.domain = {
        name: 'sites.example.com',
        certificateArn: 'arn:aws:acm:ap-south-1:123456789012:certificate/x',
        hostedZoneId: 'Z1',
        hostedZoneName: 'example.com',
      }),
    'stages.dev.sites.domain.certificateArn is "arn:aws:acm:ap-south-1:',
  ],
  [
    'IAM without a cluster',
    (s) => (s.kafka = { kind: 'given', brokers: 'a:9098', security: 'iam', peers: [] }),
    'stages.dev.kafka.clusterArn is missing; allowed is an ARN of kafka',
  ],
  [
    'SCRAM with the platform’s own password for builders',
    (s) => {
      const secretArn = 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:kafka-abcdef';
      s.kafka = { kind: 'given', brokers: 'a:9098', security: 'scram', secretArn, builderSecretArn: secretArn };
    },
    'allowed is an ARN of secretsmanager other than secretArn',
  ],
  ['a password in a URL', (s) => (s.redis = { kind: 'given', url: 'redis://:secret@host:6379' }), 'no password in it'],
  [
    'brokers that nobody could reach',
    (s) => (s.kafka = { kind: 'given', brokers: 'a:9092', security: 'plaintext' }),
    'stages.dev.kafka.peers is missing; allowed is blocks or security groups of the brokers',
  ],
  [
    'two changes of Kafka at once',
    (s) => Object.assign(s.kafka, { brokers: 4, storageGiB: 40, deployed: { brokers: 2, storageGiB: 20 } }),
    'Steps: 1. set kafka.brokers to 4, deploy Data, enter it in kafka.deployed; 2. set kafka.storageGiB to 40',
  ],
  [
    'fewer brokers',
    (s) => Object.assign(s.kafka, { brokers: 2, deployed: { brokers: 4 } }),
    'stages.dev.kafka.brokers is 2; allowed is 4 or more: CloudFormation takes no brokers away.',
  ],
  [
    'zones that do not fit',
    (s) => (s.network.zones = ['ap-south-1a']),
    'stages.dev.network.zones is ["ap-south-1a"]; allowed is as many names as network.availabilityZones (2).',
  ],
  [
    'four zones of a VPC that exists',
    (s) =>
      (s.network.existing = {
        vpcId: 'vpc-12345678',
        cidr: '10.0.0.0/16',
        availabilityZones: ['a', 'b', 'c', 'd'],
        privateSubnetIds: ['a', 'b', 'c', 'd'].map((x) => `subnet-${x}2345678`),
        isolatedSubnetIds: ['a', 'b', 'c', 'd'].map((x) => `subnet-${x}abcdef0`),
      }),
    'at most three zone names: MSK takes no more',
  ],
  [
    'CloudFront functions in China',
    (s) => (s.region = 'cn-north-1'),
    'stages.dev.sites.kind is "cloudfront"; allowed is "none" in cn-north-1',
  ],
  [
    'a certificate of the API in another region',
    (s) =>
      (s.api = {
        domain: {
          name: 'api.example.com',
          certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/x',
          hostedZoneId: 'Z1',
          hostedZoneName: 'example.com',
        },
      }),
    'allowed is a certificate in ap-south-1, where API Gateway looks for it.',
  ],
])('%s: one sentence with key, value and what is allowed', (_, change, sentence) => {
  expect(messageFor(change)).toContain(sentence);
});

test('every fault is told at once', () => {
  const message = messageFor((s: Wrong) => {
    s.api = { burst: 0 };
    s.region = 'Mumbai';
    s.extra = 1;
  });
  expect(message.split('\n').filter((l) => l.startsWith('  - '))).toHaveLength(3);
});

test('an unknown stage, and a stage that cdk.json does not have', () => {
  expect(() => loadConfig('production', {})).toThrow(
    'The stage is "production"; allowed is one of starter, dev, prod, local',
  );
  expect(() => loadConfig('dev', {})).toThrow('cdk.json has no "stages.dev"');
});

test('docs/deploy.md has a row for every key', () => {
  const table = readFileSync(join(ROOT, 'docs', 'deploy.md'), 'utf8');
  const missing = keysOf(ConfigSchema.shape).filter((key) => key !== 'stage' && !table.includes(`| \`${key}\``));
  expect(missing).toEqual([]);
});

/** An emulator forces each of these; docs/deploy.md says why. The list is to stay short. */
test('stage local differs from dev in these keys only', () => {
  const { stages } = cdkJson().context;
  const [dev, local] = ['dev', 'local'].map((stage) => flat(loadConfig(stage, stages)));
  const keys = [...new Set([...Object.keys(dev ?? {}), ...Object.keys(local ?? {})])];
  const differing = keys.filter((key) => dev?.[key] !== local?.[key]).sort();
  const reasons = readFileSync(join(ROOT, 'docs', 'deploy.md'), 'utf8').split('## Stage local')[1] ?? '';
  const part = (key: string) => (/^(kafka|redis|sites)\./.test(key) ? (key.split('.')[0] as string) : key);
  const topics = [...new Set(differing.map(part))];
  expect(topics).toEqual([
    'api.pathEndpoint',
    'bucketName',
    'builders.images',
    'builders.spot',
    'functions.git',
    'gitHosts',
    'kafka',
    'network.flowLogs',
    'network.natGateways',
    'redis',
    'sites',
    'stage',
    'terminationProtection',
  ]);
  expect(topics.filter((topic) => topic !== 'stage' && !reasons.includes(`| \`${topic}\``))).toEqual([]);
});

/** `{a: {b: 1}}` → `{'a.b': 1}` */
const flat = (value: object, prefix = ''): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, v]) =>
      typeof v === 'object' && v !== null ? Object.entries(flat(v, `${prefix}${key}.`)) : [[`${prefix}${key}`, v]],
    ),
  );

/** Every key of the schema, `a.b.c`; the alternatives of a union together. */
function keysOf(shape: Record<string, Wrong>, prefix = ''): string[] {
  return Object.entries(shape).flatMap(([key, schema]) => {
    let inner = schema;
    while (inner.def.innerType) inner = inner.def.innerType;
    const path = `${prefix}${key}`;
    if (inner.def.type === 'union')
      return [...new Set(inner.def.options.flatMap((o: Wrong) => keysOf(o.shape, `${path}.`)))] as string[];
    return inner.def.type === 'object' ? keysOf(inner.shape, `${path}.`) : [path];
  });
}
