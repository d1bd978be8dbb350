import { join } from 'node:path';
import { stringify } from 'yaml';
import { STAGES, type Stage } from '../../lib/config.ts';
import { CHECKS, PRODUCTION_CHECKS } from './support/checks.ts';
import { differences, expectRecorded } from './support/recorded.ts';
import { STACKS, type Synthesized, synthesize } from './support/synth.ts';

const synthesized = new Map<Stage, Synthesized>();
/** With cdk-nag: a finding that nobody answered for throws here. */
const stage = (name: Stage) => {
  const known = synthesized.get(name) ?? synthesize(name, { nag: true });
  synthesized.set(name, known);
  return known;
};

describe.each(STAGES)('stage %s', (name) => {
  test('synthesizes without a finding of cdk-nag', () => {
    expect(Object.keys(stage(name).templates)).toEqual([...STACKS]);
  }, 60_000);

  test.each(Object.entries(CHECKS))('%s', (_, check) => {
    expect(check(stage(name))).toEqual([]);
  });
});

/** `prod` is recorded whole, a file per stack; of the other stages what differs from it. */
const recorded = (...parts: string[]) => join(__dirname, 'templates', ...parts);

test.each(STACKS)('prod: template of %s is the one that is recorded', (stack) => {
  const template = withoutHashes(stage('prod').templates[stack]);
  expectRecorded(
    recorded('prod', `${stack}.yaml`),
    stringify(template, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
});

test.each(STAGES.filter((name) => name !== 'prod'))('%s: differs from prod in what is recorded', (name) => {
  const lines = differences(withoutStage('prod'), withoutStage(name));
  expect(lines.length).toBeGreaterThan(0);
  expectRecorded(recorded(`${name}.txt`), `${lines.join('\n')}\n`);
});

test.each(Object.entries(PRODUCTION_CHECKS))('prod: %s', (_, check) => {
  expect(check(stage('prod'))).toEqual([]);
});

type StageJson = Record<string, Record<string, unknown>>;
const subnets = (n: number) => [`subnet-${n}2345678`, `subnet-${n}abcdef0`];
const VARIANTS: [string, (stage: StageJson) => void][] = [
  [
    'a VPC, Kafka and Redis that exist already',
    (stage) => {
      stage.network = {
        natGateways: 0,
        existing: {
          vpcId: 'vpc-12345678',
          cidr: '10.0.0.0/16',
          availabilityZones: ['ap-south-1a', 'ap-south-1b'],
          privateSubnetIds: subnets(1),
          isolatedSubnetIds: subnets(2),
        },
      };
      stage.kafka = {
        kind: 'given',
        brokers: 'b-1.example:9098,b-2.example:9098',
        security: 'iam',
        clusterArn: 'arn:aws:kafka:ap-south-1:123456789012:cluster/shared/11111111-2222',
        peers: ['sg-12345678'],
        topics: 'deployment',
      };
      stage.redis = {
        kind: 'given',
        url: 'rediss://redis.example:6379',
        secretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:redis-AbCdEf',
      };
    },
  ],
  [
    'Kafka with SCRAM elsewhere, pollers on demand',
    (stage) => {
      stage.kafka = {
        kind: 'given',
        brokers: 'kafka.example:9096',
        security: 'scram',
        peers: ['10.9.0.0/16'],
        secretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:kafka-AbCdEf',
        builderSecretArn: 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:kafka-builders-AbCdEf',
      };
      stage.projector = { pollers: null } as never;
    },
  ],
  [
    'a domain for sites, an account, mails for alarms, x86 functions, no insights and logs',
    (stage) => {
      Object.assign(stage, { account: '123456789012', alarms: { email: 'ops@example.com' } });
      stage.functions = { architecture: 'x86_64' };
      Object.assign(stage.builders ?? {}, { containerInsights: false });
      Object.assign(stage.network ?? {}, { flowLogs: false });
      stage.sites = {
        kind: 'cloudfront',
        accessLogs: false,
        domain: {
          name: 'sites.example.com',
          certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
          hostedZoneId: 'Z123',
          hostedZoneName: 'example.com',
        },
      };
    },
  ],
];

test.each(VARIANTS)(
  '%s: no finding either',
  (_, configure) => {
    const variant = synthesize('dev', { configure: configure as never, nag: true });
    const found = Object.entries(CHECKS).flatMap(([name, check]) => check(variant).map((f) => `${name}: ${f}`));
    expect(found).toEqual([]);
  },
  60_000,
);

/** The stage's name is in most names, and says nothing about what differs. */
const withoutStage = (name: Stage) => {
  const text = JSON.stringify(withoutHashes(stage(name).templates));
  const words = [`veren-${name}`, `veren/${name}/`, `Veren ${name}`, `"${name}"`, `\\"${name}\\"`];
  return JSON.parse(words.reduce((all, word) => all.replaceAll(word, word.replace(name, '<stage>')), text));
};

/** Hashes of assets change with every line of the functions; what the infrastructure is does not. */
const withoutHashes = (template: unknown) =>
  JSON.parse(
    JSON.stringify(template)
      .replaceAll(/[0-9a-f]{64}/g, '<hash>')
      // Of the builders' images.
      .replaceAll(/("BUILDERS_VERSION":")[0-9a-f]{32}"/g, '$1<hash>"'),
  );
