import type { Server } from 'node:http';
import { type Config, loadConfig, type Stage } from '../../../lib/config.ts';
import { findProblems, formatFinding } from '../../../lib/preflight/checks.ts';
import { readFacts } from '../../../lib/preflight/facts.ts';
import { cdkJson } from '../support/synth.ts';
import { type Answers, freshAccount, roleAnswer, serve, stackAnswer } from './recorded.ts';

/** The real SDK clients against answers as AWS gives them; the checks then see what they would see of the account. */
const servers: Server[] = [];
const saved = { ...process.env };
beforeEach(() => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_MAX_ATTEMPTS: '1' });
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  process.env = { ...saved };
});

// biome-ignore lint/suspicious/noExplicitAny: a stage of cdk.json, to be changed
type Json = any;
function config(stage: Stage, change: (stage: Json) => void = () => undefined): Config {
  const { stages } = cdkJson().context;
  change(stages[stage]);
  return loadConfig(stage, stages);
}

async function look(answers: Answers, wanted: Config): Promise<{ levels: string[]; text: string; calls: string[] }> {
  const { server, url, calls } = await serve(answers);
  servers.push(server);
  process.env.AWS_ENDPOINT_URL = url;
  const found = findProblems(wanted, await readFacts(wanted, 'hnb659fds'));
  return { levels: found.map((f) => f.level), text: found.map(formatFinding).join('\n'), calls };
}

test('a fresh account: dev can be deployed, and what will be slow is told with what to do', async () => {
  const { levels, text } = await look(freshAccount(), config('dev'));
  expect(levels.filter((level) => level === 'stops')).toEqual([]);
  expect(text).toContain('10 builds at once may need 20 Fargate vCPUs; the quota is 6.');
  expect(text).toContain('set limits.global to 3');
  expect(text).toContain('10 builds at once may need 20 Fargate Spot vCPUs');
  expect(text).toContain('The account runs 10 Lambda instances at once');
  expect(text).toContain('1 CodeBuild builds at once on Linux/Small; 5 images wait');
  expect(text).toContain('AWSServiceRoleForECS does not exist yet; the deployment makes it.');
});

test('nothing but reading is asked for', async () => {
  const { calls } = await look(freshAccount(), config('prod'));
  expect(calls.length).toBeGreaterThan(25);
  expect(calls.filter((call) => !/^(Get|Describe|List|GET |HEAD )/.test(call))).toEqual([]);
});

const CASES: [string, Partial<Answers>, (stage: Json) => void, string | RegExp][] = [
  [
    'not bootstrapped',
    { GetParameter: () => ({ status: 400, body: '{"__type":"ParameterNotFound"}' }) },
    () => undefined,
    'STOPS   ap-south-1 is not bootstrapped for CDK.\n        Run: npx cdk bootstrap aws://123456789012/ap-south-1',
  ],
  [
    'an old bootstrap stack',
    { GetParameter: () => ({ body: '{"Parameter":{"Value":"5"}}' }) },
    () => undefined,
    'The bootstrap stack has version 5; 6 is needed.',
  ],
  [
    'another account',
    {},
    (s) => (s.account = '999999999999'),
    'of account 123456789012, and the stage belongs to 999999999999',
  ],
  [
    'a zone that is not there',
    {},
    (s) => (s.network.zones = ['ap-south-1a', 'ap-south-1z']),
    'ap-south-1 has no zone ap-south-1z',
  ],
  [
    'no address left for the NAT gateway',
    {
      DescribeAddresses: () => ({
        body: `<DescribeAddressesResponse><addressesSet>${'<item><publicIp>1.2.3.4</publicIp></item>'.repeat(5)}</addressesSet></DescribeAddressesResponse>`,
      }),
    },
    () => undefined,
    '1 NAT gateways need as many elastic IPs; 5 of 5 are in use.',
  ],
  [
    'no room for a reservation',
    {},
    (s) => (s.functions = { reservedConcurrency: { 'log-streamer': 5 } }),
    'sets 5 instances aside; of the account’s 10'.replace('’', "'"),
  ],
  [
    'no CodeBuild at all',
    {
      ListServiceQuotas: () => ({
        body: JSON.stringify({
          Quotas: [{ QuotaName: 'Concurrently running builds for Linux/Small environment', Value: 0 }],
        }),
      }),
    },
    () => undefined,
    'STOPS   The account has no CodeBuild builds at once on Linux/Small.',
  ],
  [
    'a first deployment that was rolled back',
    {
      DescribeStacks: (input) =>
        input.includes('veren-dev-data')
          ? stackAnswer('ROLLBACK_COMPLETE')
          : { status: 400, body: '<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>' },
    },
    () => undefined,
    'aws cloudformation delete-stack --stack-name veren-dev-data',
  ],
  [
    'names that another stage has taken',
    {
      DescribeClusters: () => ({ body: JSON.stringify({ clusters: [{ clusterName: 'builder', status: 'ACTIVE' }] }) }),
      'HEAD /veren-v2-123456789012-ap-south-1': () => ({ status: 403, body: '' }),
      GetRole: (input) =>
        input.includes('veren-dev-ap-south-1-build')
          ? roleAnswer('x')
          : { status: 404, body: '<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>' },
    },
    () => undefined,
    'There are already: bucket veren-v2-123456789012-ap-south-1, cluster builder, role veren-dev-ap-south-1-build.',
  ],
  [
    'brokers and their type at once',
    {
      'GET /api/v2/clusters': () => ({
        body: JSON.stringify({
          clusterInfoList: [
            {
              clusterName: 'veren-dev',
              provisioned: {
                numberOfBrokerNodes: 2,
                brokerNodeGroupInfo: {
                  instanceType: 'kafka.m7g.large',
                  storageInfo: { ebsStorageInfo: { volumeSize: 20 } },
                },
              },
            },
          ],
        }),
      }),
    },
    (s) => Object.assign(s.kafka, { brokers: 4, instanceType: 'kafka.m7g.xlarge' }),
    /Steps: 1\. set kafka\.instanceType to "kafka\.m7g\.xlarge", deploy Data.*2\. set kafka\.brokers to 4/,
  ],
];

test.each(CASES)('%s', async (_, answers, change, says) => {
  const { text, levels } = await look({ ...freshAccount(), ...(answers as Answers) }, config('dev', change));
  expect(levels).toContain('stops');
  expect(text).toMatch(says);
});

test('MSK makes no brokers in every zone: another one is asked for', async () => {
  const answers = {
    ...freshAccount(),
    DescribeAvailabilityZones: () => ({
      body: `<DescribeAvailabilityZonesResponse><availabilityZoneInfo>${[1, 3, 2]
        .map(
          (n, i) =>
            `<item><zoneName>us-east-1${'abc'[i]}</zoneName><zoneId>use1-az${n}</zoneId><zoneState>available</zoneState></item>`,
        )
        .join('')}</availabilityZoneInfo></DescribeAvailabilityZonesResponse>`,
    }),
    'HEAD /veren-v2-123456789012-us-east-1': () => ({ status: 404, body: '' }),
  };
  const wanted = (zones?: string[]) =>
    config('dev', (s) => {
      s.region = 'us-east-1';
      if (zones) s.network.zones = zones;
    });
  expect((await look(answers, wanted())).text).toContain('MSK makes no brokers in zone us-east-1b (use1-az3)');
  expect((await look(answers, wanted(['us-east-1a', 'us-east-1c']))).levels).not.toContain('stops');
});

test('what a running stage has is its own', async () => {
  const answers = {
    ...freshAccount(),
    DescribeStacks: () => stackAnswer('UPDATE_COMPLETE'),
    DescribeClusters: () => ({ body: JSON.stringify({ clusters: [{ clusterName: 'builder', status: 'ACTIVE' }] }) }),
    DescribeSecret: () => ({ body: '{"Name":"veren/dev/tokens"}' }),
  };
  expect((await look(answers, config('dev'))).levels).not.toContain('stops');
});

test('an answer that says nothing of the question is an error, and no clean bill', async () => {
  const answers = {
    ...freshAccount(),
    DescribeClusters: () => ({ status: 400, body: '{"__type":"AccessDeniedException"}' }),
  };
  await expect(look(answers, config('dev'))).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
