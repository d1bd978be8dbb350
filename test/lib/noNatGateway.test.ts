import { type Synthesized, synthesize, type Template } from './support/synth.ts';

/** `network.natGateways: 0` in a VPC of Veren's own. */
const without = (stage: 'dev' | 'prod', more: object = {}): Synthesized =>
  synthesize(stage, {
    nag: true,
    configure: (s) => Object.assign(s.network as object, { natGateways: 0, ...more }),
  });

// biome-ignore lint/suspicious/noExplicitAny: properties of many types of resources, looked at one by one
type Properties = { readonly id: string } & Record<string, any>;

const ofType = ({ Resources }: Template, type: string): Properties[] =>
  Object.entries(Resources).flatMap(([id, r]) => (r.Type === type ? [{ id, ...r.Properties }] : []));

let dev: Synthesized;
beforeAll(() => {
  dev = without('dev');
});

test('no gateway and no elastic address is made, and functions go out through one small instance', () => {
  const { Network } = dev.templates;
  expect(ofType(Network, 'AWS::EC2::NatGateway')).toEqual([]);
  expect(ofType(Network, 'AWS::EC2::EIP')).toEqual([]);
  const [instance, ...more] = ofType(Network, 'AWS::EC2::Instance');
  expect(more).toEqual([]);
  expect(instance).toMatchObject({
    InstanceType: 't4g.nano',
    SourceDestCheck: false,
    NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
    BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
  });
  const routes = ofType(Network, 'AWS::EC2::Route').filter((r) => r.id.includes('private'));
  expect(routes).toHaveLength(2);
  for (const route of routes)
    expect(route).toMatchObject({ DestinationCidrBlock: '0.0.0.0/0', InstanceId: { Ref: instance?.id } });
});

test('only functions and pollers may use the instance, and nobody from outside reaches it', () => {
  const { Network } = dev.templates;
  const nat = ofType(Network, 'AWS::EC2::SecurityGroup').find((g) => /NatSecurityGroup/.test(g.id));
  expect(nat?.SecurityGroupIngress).toBeUndefined();
  const into = ofType(Network, 'AWS::EC2::SecurityGroupIngress').filter((r) =>
    JSON.stringify(r.GroupId).includes(nat?.id as string),
  );
  const sources = into.map((r) => JSON.stringify(r.SourceSecurityGroupId));
  expect(sources.toSorted()).toEqual([
    expect.stringMatching(/NetworkFunctions/),
    expect.stringMatching(/NetworkKafka/),
  ]);
});

test('builders run with a public address in subnets of their own', () => {
  const { Network, Pipeline } = dev.templates;
  const worker = ofType(Pipeline, 'AWS::Lambda::Function').find((f) => /-build-worker$/.test(f.FunctionName));
  const { BUILDER_PUBLIC_IP, BUILDER_SUBNETS } = worker?.Environment.Variables ?? {};
  expect(BUILDER_PUBLIC_IP).toBe('true');
  expect(JSON.stringify(BUILDER_SUBNETS)).toMatch(/buildersSubnet1.*buildersSubnet2/);
  expect(JSON.stringify(BUILDER_SUBNETS)).not.toMatch(/private|public/);
  const subnets = ofType(Network, 'AWS::EC2::Subnet').filter((s) => s.id.includes('builders'));
  expect(subnets.map((s) => s.MapPublicIpOnLaunch)).toEqual([false, false]);
  const routes = ofType(Network, 'AWS::EC2::Route').filter((r) => r.id.includes('builders'));
  for (const route of routes) expect(route.GatewayId).toBeDefined();
});

test('with a NAT gateway builders have none', () => {
  const worker = ofType(synthesize('dev').templates.Pipeline, 'AWS::Lambda::Function').find((f) =>
    /-build-worker$/.test(f.FunctionName),
  );
  expect(worker?.Environment.Variables).not.toHaveProperty('BUILDER_PUBLIC_IP');
});

describe('what a builder with a public address is reached by and reaches', () => {
  interface Rule {
    readonly number: number;
    readonly out: boolean;
    readonly allow: boolean;
    readonly block: string;
    readonly protocol: number;
    readonly from: number;
    readonly to: number;
  }
  const rulesOf = (template: Template): Rule[] =>
    ofType(template, 'AWS::EC2::NetworkAclEntry')
      .map((e) => ({
        number: e.RuleNumber,
        out: e.Egress,
        allow: e.RuleAction === 'allow',
        block: e.CidrBlock,
        protocol: e.Protocol,
        from: e.PortRange?.From ?? 0,
        to: e.PortRange?.To ?? 65_535,
      }))
      .toSorted((a, b) => a.number - b.number);
  const numberOf = (address: string) => address.split('.').reduce((n, part) => n * 256 + Number(part), 0);
  const holds = (block: string, address: string) => {
    const [base = '', bits = '32'] = block.split('/');
    const size = 2 ** (32 - Number(bits));
    return Math.floor(numberOf(base) / size) === Math.floor(numberOf(address) / size);
  };
  const [TCP, UDP] = [6, 17];
  /** As the VPC decides: the first rule that fits, else no. */
  const passes = (rules: readonly Rule[], out: boolean, address: string, protocol: number, port: number) =>
    rules.find(
      (r) =>
        r.out === out &&
        holds(r.block, address) &&
        (r.protocol === -1 || (r.protocol === protocol && r.from <= port && port <= r.to)),
    )?.allow ?? false;

  test.each([
    ['a registry', true, '104.16.1.1', TCP, 443, true],
    ['its answer', false, '104.16.1.1', TCP, 40_000, true],
    ['Kafka in the VPC', true, '10.40.20.7', TCP, 9_098, true],
    ['Redis in the VPC', true, '10.40.50.7', TCP, 6_379, false],
    ['a function or a peer, HTTPS', true, '10.40.20.7', TCP, 443, false],
    ['a network on premises', true, '192.168.1.1', TCP, 443, false],
    ['another peer', true, '172.20.0.1', TCP, 80, false],
    ['metadata of instances', true, '169.254.169.254', TCP, 80, false],
    ['mail', true, '104.16.1.1', TCP, 25, false],
    ['UDP', true, '104.16.1.1', UDP, 443, false],
    ['somebody who asks for SSH', false, '198.51.100.7', TCP, 22, false],
    ['somebody who asks for a web server', false, '198.51.100.7', TCP, 443, false],
    ['UDP from somebody', false, '198.51.100.7', UDP, 40_000, false],
    ['a private peer that connects', false, '172.20.0.1', TCP, 3_000, false],
  ])('%s (out: %s, %s, %s/%s): %s', (_what, out, address, protocol, port, expected) => {
    expect(passes(rulesOf(dev.templates.Network), out, address, protocol, port)).toBe(expected);
  });

  test('their security groups let nothing in at all', () => {
    const { Network, Pipeline } = dev.templates;
    const names = ofType(Network, 'AWS::EC2::SecurityGroup').filter((g) => /NetworkBuilders/.test(g.id));
    expect(names.length).toBeGreaterThan(1);
    for (const group of names) expect(group.SecurityGroupIngress).toBeUndefined();
    const into = [Network, Pipeline].flatMap((t) => ofType(t, 'AWS::EC2::SecurityGroupIngress'));
    for (const { GroupId } of into) expect(JSON.stringify(GroupId)).not.toMatch(/NetworkBuilders/);
  });

  test('the list has room: at most 20 rules each way, also with endpoints, DNS servers and given Kafka', () => {
    const full = without('prod', {
      endpoints: ['ecr', 'logs'],
      dnsServers: ['10.9.0.2/32', '10.9.0.3/32'],
    });
    for (const out of [true, false]) {
      const count = rulesOf(full.templates.Network).filter((r) => r.out === out).length;
      expect(count).toBeGreaterThan(0);
      // The quota counts the last rule, which denies the rest, as well.
      expect(count).toBeLessThanOrEqual(19);
    }
    expect(passes(rulesOf(full.templates.Network), true, '10.40.20.7', TCP, 443)).toBe(true);
    expect(passes(rulesOf(full.templates.Network), true, '10.9.0.2', UDP, 53)).toBe(true);
  });

  test('a list that AWS would refuse is refused by synth, with the keys that make it long', () => {
    const dnsServers = Array.from({ length: 6 }, (_, i) => `10.9.0.${i + 2}/32`);
    expect(() => without('dev', { dnsServers })).toThrow(/21 rules.*network\.dnsServers/);
    expect(() => without('dev', { dnsServers: dnsServers.slice(1) })).not.toThrow();
  });
});
