import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BilledResource, formatBill, idleBill } from '../../../lib/cost/idleBill.ts';
import { ROOT, STACKS, synthesize, type Templates } from '../support/synth.ts';

const of = (type: string, properties: BilledResource['properties'] = {}): BilledResource => ({
  id: `A${type.split('::')[2]}`,
  type,
  properties,
});
const linesOf = (...resources: BilledResource[]) => {
  const without = idleBill([]).lines.map(({ what }) => what);
  return idleBill(resources).lines.filter(({ what }) => !without.includes(what));
};
const resourcesOf = (templates: Templates): BilledResource[] =>
  STACKS.flatMap((stack) =>
    Object.entries(templates[stack].Resources).map(([id, r]) => ({ id, type: r.Type, properties: r.Properties ?? {} })),
  );

test.each([
  [of('AWS::ElasticLoadBalancingV2::LoadBalancer'), [['load balancers of backends', '1 × 0.0225 / h × 730 h', 16.425]]],
  [of('AWS::EC2::NatGateway'), [['NAT gateways', '1 × 0.045 / h × 730 h', 32.85]]],
  [of('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' }), []],
  [
    of('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] }),
    [['interface endpoints, each zone', '2 × 0.01 / h × 730 h', 14.6]],
  ],
  [
    of('AWS::EC2::Instance', {
      InstanceType: 't4g.nano',
      NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
      BlockDeviceMappings: [{ Ebs: {} }],
    }),
    [
      ['public IPv4 address of AInstance', '1 × 0.005 / h × 730 h', 3.65],
      ['instance t4g.nano (AInstance)', '1 × 0.0042 / h × 730 h', 3.066],
      ['disk of AInstance', '8 GiB × 0.08 / month', 0.64],
    ],
  ],
  [of('AWS::Lambda::EventSourceMapping'), []],
  [
    of('AWS::Lambda::EventSourceMapping', { ProvisionedPollerConfig: { MinimumPollers: 5, PollerGroupName: 'a' } }),
    [['event poller units', '2 × 0.185 / h × 730 h', 270.1]],
  ],
])('%j', (resource, expected) => {
  expect(linesOf(resource).map(({ what, arithmetic, amount }) => [what, arithmetic, amount])).toEqual(
    expected.map(([what, arithmetic, amount]) => [what, arithmetic, expect.closeTo(amount as number, 6)]),
  );
});

test('a group of instances costs what its launch template says, and its volume has snapshots', () => {
  const template = {
    ...of('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { InstanceType: 't4g.small' } }),
    id: 'Template',
  };
  const group = of('AWS::AutoScaling::AutoScalingGroup', {
    MinSize: '1',
    LaunchTemplate: { LaunchTemplateId: { Ref: 'Template' } },
  });
  const volume = of('AWS::EC2::Volume', { Size: 8 });
  const found = linesOf(template, group, volume, of('AWS::DLM::LifecyclePolicy'));
  expect(found.map(({ what, amount }) => [what, Number(amount.toFixed(3))])).toEqual([
    ['instance t4g.small (AAutoScalingGroup)', 12.264],
    ['disk of AAutoScalingGroup', 0.64],
    ['disks', 0.64],
    ['snapshots, at most about', 0.4],
  ]);
  expect(() => idleBill([group])).toThrow(/launch template of AAutoScalingGroup/);
});

/** What the stage for small teams promises, in README.md. */
test('stage starter costs at most 40 dollars a month', () => {
  const bill = idleBill(resourcesOf(synthesize('starter').templates));
  expect(bill.total).toBeLessThanOrEqual(40);
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`| \`starter\` | **${bill.total.toFixed(2)} USD** |`);
  const whats = bill.lines.map(({ what }) => what).join('\n');
  expect(whats).toMatch(/instance t4g\.small/);
  expect(whats).not.toMatch(/NAT gateways|event poller|endpoints|MSK/);
});

test('what has no price stops the sum: a new resource cannot be forgotten', () => {
  expect(() => idleBill([of('AWS::OpenSearchService::Domain')])).toThrow(/price of AWS::OpenSearchService::Domain/);
  const cluster = of('AWS::ElastiCache::ReplicationGroup', { CacheNodeType: 'cache.x9.huge', NumCacheClusters: 1 });
  expect(() => idleBill([cluster])).toThrow(/cache\.x9\.huge/);
});

test.each(['dev', 'prod'] as const)('everything in stage %s has a price, and the lines make up the sum', (stage) => {
  const bill = idleBill(resourcesOf(synthesize(stage).templates));
  expect(bill.lines.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(bill.total, 6);
  expect(bill.lines.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['event poller units', 'secrets', 'alarms']),
  );
  expect(formatBill(stage, bill).split('\n').at(-1)).toBe(`A month: ${bill.total.toFixed(2)}`);
});
