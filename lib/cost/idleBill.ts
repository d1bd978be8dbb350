import { METRICS } from '../../contract/metrics.ts';
import { PRICES } from '../../contract/prices.ts';

/** A resource of a synthesised template, as far as its price depends on it. */
export interface BilledResource {
  readonly id: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: templates are untyped JSON
  readonly properties: Record<string, any>;
}

export interface BillLine {
  readonly what: string;
  /** How the amount comes about, e.g. `2 × 0.204 / h × 730 h`. */
  readonly arithmetic: string;
  /** US dollars a month. */
  readonly amount: number;
}

/** A template holds something whose price is not known, so no sum can be given. */
export class UnknownPriceError extends Error {
  override readonly name = 'UnknownPriceError';
}

const { hoursPerMonth } = PRICES;

/** Costs nothing while nothing is deployed: priced by use, or never. */
const FREE_WHILE_IDLE = [
  /^AWS::(ApiGateway|ApiGatewayV2|CloudFront|CodeBuild|ECS|Events|IAM|SNS|SQS|Scheduler)::/,
  /^AWS::(CDK|CloudFormation|SSM)::/,
  /^AWS::Lambda::(EventInvokeConfig|Function|Permission|Url|Version|Alias|LayerVersion)$/,
  /^AWS::Logs::/,
  // A listener is a part of its load balancer.
  /^AWS::ElasticLoadBalancingV2::Listener$/,
  /^AWS::S3::/,
  // Three dashboards of an account are free.
  /^AWS::CloudWatch::Dashboard$/,
  /^AWS::EC2::(FlowLog|InternetGateway|Route|RouteTable|SecurityGroup|SecurityGroupEgress|SecurityGroupIngress)$/,
  /^AWS::EC2::(Subnet|SubnetRouteTableAssociation|VPC|VPCGatewayAttachment|LaunchTemplate|NetworkInterface)$/,
  /^AWS::EC2::(NetworkAcl|NetworkAclEntry|SubnetNetworkAclAssociation)$/,
  /^AWS::ECR::Repository$/,
  /^AWS::ElastiCache::(ParameterGroup|SubnetGroup|User|UserGroup)$/,
  /^AWS::MSK::Configuration$/,
  /^AWS::Route53::RecordSet$/,
  /^Custom::/,
];

const money = (amount: number) => String(Number(amount.toPrecision(6)));

function lookUp(table: Readonly<Record<string, number>>, type: string, where: string): number {
  const price = table[type];
  if (price === undefined)
    throw new UnknownPriceError(
      `The price of ${type} (${where}) is not in contract/prices.ts; add it with its source.`,
    );
  return price;
}

const hourly = (what: string, count: number, price: number): BillLine => ({
  what,
  arithmetic: `${count} × ${price} / h × ${hoursPerMonth} h`,
  amount: count * price * hoursPerMonth,
});

const monthly = (what: string, count: number, price: number, unit = ''): BillLine => ({
  what,
  arithmetic: `${money(count)}${unit} × ${price} / month`,
  amount: count * price,
});

type Reader = (resources: readonly BilledResource[], all: readonly BilledResource[]) => BillLine[];

/** By type: all resources of it together, so that a line says how many there are. */
const READERS: Readonly<Record<string, Reader>> = {
  'AWS::MSK::Cluster': (clusters) =>
    clusters.flatMap(({ id, properties: p }) => {
      const { InstanceType, StorageInfo } = p.BrokerNodeGroupInfo;
      const brokers = p.NumberOfBrokerNodes;
      const gib = brokers * (StorageInfo?.EBSStorageInfo?.VolumeSize ?? 0);
      return [
        hourly(`MSK brokers ${InstanceType}`, brokers, lookUp(PRICES.mskBrokerHour, InstanceType, id)),
        monthly("MSK brokers' disks", gib, PRICES.mskStorageMonth, ' GiB'),
      ];
    }),
  'AWS::Lambda::EventSourceMapping': (mappings) => {
    const provisioned = mappings.filter(({ properties: p }) => p.ProvisionedPollerConfig);
    if (provisioned.length === 0) return [];
    const groups = new Map<string, number>();
    for (const { id, properties: p } of provisioned) {
      const { PollerGroupName = id, MinimumPollers = 1 } = p.ProvisionedPollerConfig;
      groups.set(PollerGroupName, (groups.get(PollerGroupName) ?? 0) + MinimumPollers);
    }
    // Mappings of one group share units; a Kafka unit has the throughput of four pollers.
    const units = [...groups.values()].reduce((sum, pollers) => sum + Math.ceil(pollers / POLLERS_PER_UNIT), 0);
    return [hourly('event poller units', units, PRICES.eventPollerHour)];
  },
  'AWS::EC2::NatGateway': (gateways) => [hourly('NAT gateways', gateways.length, PRICES.natGatewayHour)],
  'AWS::EC2::EIP': (addresses) => [hourly('public IPv4 addresses', addresses.length, PRICES.publicIpv4Hour)],
  'AWS::EC2::VPCEndpoint': (endpoints) => {
    const interfaces = endpoints.filter(({ properties: p }) => p.VpcEndpointType === 'Interface');
    const places = interfaces.reduce((sum, { properties: p }) => sum + (p.SubnetIds?.length ?? 1), 0);
    return places === 0 ? [] : [hourly('interface endpoints, each zone', places, PRICES.interfaceEndpointHour)];
  },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': (balancers) => [
    hourly('load balancers of backends', balancers.length, PRICES.loadBalancerHour),
  ],
  'AWS::EC2::Instance': (instances) => instances.flatMap(instanceLines),
  'AWS::AutoScaling::AutoScalingGroup': (groups, all) => groups.flatMap((group) => groupLines(group, all)),
  'AWS::EC2::Volume': (volumes) => [monthly('disks', volumesOf(volumes), PRICES.gp3Month, ' GiB')],
  // Snapshots are increments of what is on the disks: never more than a full disk and a little.
  'AWS::DLM::LifecyclePolicy': (_, all) => [
    monthly(
      'snapshots, at most about',
      volumesOf(all.filter(({ type }) => type === 'AWS::EC2::Volume')),
      PRICES.snapshotMonth,
      ' GB',
    ),
  ],
  'AWS::ElastiCache::ReplicationGroup': (groups) =>
    groups.map(({ id, properties: p }) =>
      hourly(`Valkey ${p.CacheNodeType}`, p.NumCacheClusters, lookUp(PRICES.valkeyNodeHour, p.CacheNodeType, id)),
    ),
  'AWS::CloudWatch::Alarm': (alarms) => [monthly('alarms', alarms.length, PRICES.alarmMonth)],
  'AWS::SecretsManager::Secret': (secrets) => [monthly('secrets', secrets.length, PRICES.secretMonth)],
  'AWS::KMS::Key': (keys) => [monthly('keys', keys.length, PRICES.kmsKeyMonth)],
  'AWS::Route53::HostedZone': (zones) => [monthly('hosted zones', zones.length, PRICES.hostedZoneMonth)],
};
const POLLERS_PER_UNIT = 4;

/** An instance, the disks that its template names (else the 8 GiB of Amazon's system image), and its public address. */
function instanceLines({ id, properties: p }: BilledResource): BillLine[] {
  const type = p.InstanceType as string;
  const disks = (p.BlockDeviceMappings ?? []) as { Ebs?: { VolumeSize?: number } }[];
  const gib = disks.length === 0 ? SYSTEM_GIB : sizesOf(disks);
  const isPublic = (p.NetworkInterfaces ?? []).some(
    (n: Record<string, unknown>) => n.AssociatePublicIpAddress === true,
  );
  return [
    hourly(`instance ${type} (${id})`, 1, lookUp(PRICES.instanceHour, type, id)),
    monthly(`disk of ${id}`, gib, PRICES.gp3Month, ' GiB'),
    ...(isPublic ? [hourly(`public IPv4 address of ${id}`, 1, PRICES.publicIpv4Hour)] : []),
  ];
}
const SYSTEM_GIB = 8;
const volumesOf = (volumes: readonly BilledResource[]) =>
  volumes.reduce((sum, { properties: p }) => sum + Number(p.Size), 0);

/** Instances of a group, as many as it wants, by its launch template. */
function groupLines({ id, properties: p }: BilledResource, all: readonly BilledResource[]): BillLine[] {
  const { LaunchTemplateId } = p.LaunchTemplate ?? {};
  const template = all.find((r) => r.type === 'AWS::EC2::LaunchTemplate' && r.id === LaunchTemplateId?.Ref);
  if (!template) throw new UnknownPriceError(`The launch template of ${id} is not in the templates.`);
  const count = Number(p.DesiredCapacity ?? p.MinSize);
  return Array.from({ length: count }, () =>
    instanceLines({ ...template, id, properties: template.properties.LaunchTemplateData }),
  ).flat();
}
const sizesOf = (disks: readonly { Ebs?: { VolumeSize?: number } }[]) =>
  disks.reduce((sum, { Ebs }) => sum + (Ebs?.VolumeSize ?? SYSTEM_GIB), 0);

const OWN_METRICS = Object.keys(METRICS).length;

/** What an idle stage uses by itself, whatever its size; measured or counted, not in a template. */
const ALWAYS: readonly BillLine[] = [
  {
    what: 'sweep of the task-watcher',
    arithmetic: `43,200 × 0.5 GB × 0.3 s × ${PRICES.lambdaGigabyteSecond}`,
    amount: 43_200 * 0.5 * 0.3 * PRICES.lambdaGigabyteSecond,
  },
  {
    what: 'requests of the sweep to S3, about',
    arithmetic: `43,200 × (${PRICES.s3.list} + ${PRICES.s3.get})`,
    amount: 43_200 * (PRICES.s3.list + PRICES.s3.get),
  },
  {
    what: 'own metrics, all of them',
    arithmetic: `(${OWN_METRICS} - ${PRICES.freeMetrics} free in an account) × ${PRICES.metricMonth} / month`,
    amount: Math.max(0, OWN_METRICS - PRICES.freeMetrics) * PRICES.metricMonth,
  },
  monthly('images in ECR, about', 3.8, PRICES.ecrGigabyteMonth, ' GB'),
  { what: 'logs of an idle system, about', arithmetic: `1 GB × ${PRICES.logGigabyte}`, amount: PRICES.logGigabyte },
];

/**
 * What a stage costs while nothing is deployed, from the resources of all its templates.
 * @throws {UnknownPriceError} for a resource or size without a price: a sum that leaves something out would be wrong
 */
export function idleBill(resources: readonly BilledResource[]): { lines: BillLine[]; total: number } {
  const lines = [...groupByType(resources)].flatMap(([type, found]) => {
    const read = READERS[type];
    if (read) return read(found, resources);
    if (FREE_WHILE_IDLE.some((pattern) => pattern.test(type))) return [];
    throw new UnknownPriceError(`Nothing is known of the price of ${type} (${found[0]?.id}); add it to lib/cost/.`);
  });
  const all = [...lines, ...ALWAYS].toSorted((a, b) => b.amount - a.amount);
  return { lines: all, total: all.reduce((sum, { amount }) => sum + amount, 0) };
}

function groupByType(resources: readonly BilledResource[]): Map<string, BilledResource[]> {
  const groups = new Map<string, BilledResource[]>();
  for (const resource of resources) groups.set(resource.type, [...(groups.get(resource.type) ?? []), resource]);
  return groups;
}

/** The bill as a table of text. */
export function formatBill(stage: string, { lines, total }: ReturnType<typeof idleBill>): string {
  const rows = lines.map(({ what, arithmetic, amount }) => [what, arithmetic, amount.toFixed(2)] as const);
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
  const table = rows.map(([what, how, amount]) =>
    `${what.padEnd(widths[0]!)}  ${how.padEnd(widths[1]!)}  ${amount.padStart(widths[2]!)}`.trimEnd(),
  );
  return [
    `Stage ${stage}, idle: US dollars a month (${PRICES.region}, prices of ${PRICES.date})`,
    '',
    ...table,
    '',
    `A month: ${total.toFixed(2)}`,
  ].join('\n');
}
