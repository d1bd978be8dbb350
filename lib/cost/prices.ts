/**
 * Prices of AWS, in US dollars, without tax and without what an account gets free. Source: the price pages of each service
 * for us-east-1, as known on the date below; check them for another region before you rely on them.
 */
export const PRICES = {
  date: '2026-11-28',
  region: 'us-east-1',
  hoursPerMonth: 730,
  /** An hour of a broker, by MSK's instance type. */
  mskBrokerHour: { 'kafka.t3.small': 0.0456, 'kafka.m7g.large': 0.204, 'kafka.m7g.xlarge': 0.408 },
  /** A GiB of a broker's disk for a month. */
  mskStorageMonth: 0.1,
  /** An hour of an event poller unit, which four pollers of one group share. */
  eventPollerHour: 0.185,
  natGatewayHour: 0.045,
  natGatewayGigabyte: 0.045,
  publicIpv4Hour: 0.005,
  interfaceEndpointHour: 0.01,
  /** An hour of an application load balancer, and of a unit of its capacity. */
  loadBalancerHour: 0.0225,
  balancerCapacityHour: 0.008,
  /** An hour of a node, by ElastiCache's node type, engine Valkey. */
  valkeyNodeHour: {
    'cache.t4g.micro': 0.0128,
    'cache.t4g.small': 0.0256,
    'cache.t4g.medium': 0.052,
    'cache.m7g.large': 0.1264,
  },
  /** An hour of an instance, by EC2's type, Linux on demand. */
  instanceHour: { 't4g.nano': 0.0042, 't4g.micro': 0.0084, 't4g.small': 0.0168, 't4g.medium': 0.0336 },
  /** A GiB of gp3 for a month; its 3,000 operations and 125 MB per second are included. */
  gp3Month: 0.08,
  /** A GB of snapshots for a month. */
  snapshotMonth: 0.05,
  alarmMonth: 0.1,
  /** A metric of our own for a month. */
  metricMonth: 0.3,
  /** Metrics that an account has free. */
  freeMetrics: 10,
  secretMonth: 0.4,
  kmsKeyMonth: 1,
  hostedZoneMonth: 0.5,
  ecrGigabyteMonth: 0.1,
  logGigabyte: 0.5,
  /** A PUT, COPY, POST or LIST of S3, and a GET. */
  s3: { list: 0.000005, get: 0.0000004 },
  /** A GB-second of a function on arm64. */
  lambdaGigabyteSecond: 0.0000133334,
  fargate: { vcpuHour: 0.04048, gigabyteHour: 0.004445, storageGibHour: 0.000111 },
} as const;
