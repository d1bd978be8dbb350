/** The day on which every price of this file was looked at last. */
const DATE = '2026-11-28';

/**
 * Prices of AWS, in US dollars, without tax and without what an account gets free. Source: the price pages of each service
 * for us-east-1, as known on the date above; check them for another region before you rely on them.
 */
export const PRICES = {
  date: DATE,
  region: 'us-east-1',
  hoursPerMonth: 730,
  /** An hour of a broker, by MSK's instance type. */
  mskBrokerHour: { 'kafka.t3.small': 0.0456, 'kafka.m7g.large': 0.204, 'kafka.m7g.xlarge': 0.408 },
  /** A GiB of a broker's disk for a month. */
  mskStorageMonth: 0.1,
  /** An hour of an event poller unit, which four pollers of one group share. */
  eventPollerHour: 0.185,
  natGatewayHour: 0.045,
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
} as const;

/** What an hour of a processor and of a GiB of memory costs, in millionths of a US dollar. */
interface ComputePrices {
  readonly vcpuHour: number;
  readonly gigabyteHour: number;
}

/** What builds use, in whole millionths of a US dollar: amounts are sums of integers, which nothing rounds. */
export interface BuildPrices {
  readonly x86_64: ComputePrices;
  readonly arm64: ComputePrices;
  /** A GiB of a task's disk above the 20 GiB that are free. */
  readonly diskGibHour: number;
  readonly addressHour: number;
  /** A GB through a NAT gateway, in either direction. */
  readonly natGigabyte: number;
  readonly s3Put: number;
  readonly s3GigabyteMonth: number;
  readonly ecrGigabyteMonth: number;
}

/**
 * Prices of builds by region. Of a region that is not here no amount is told. Sources: the price pages of Fargate (Linux,
 * on demand), VPC, S3 (Standard) and ECR (private).
 */
const BUILD_PRICES: Readonly<Record<string, BuildPrices>> = (() => {
  const common = { addressHour: 5_000, s3Put: 5, ecrGigabyteMonth: 100_000 };
  const america: BuildPrices = {
    ...common,
    x86_64: { vcpuHour: 40_480, gigabyteHour: 4_445 },
    arm64: { vcpuHour: 32_380, gigabyteHour: 3_560 },
    ...{ diskGibHour: 111, natGigabyte: 45_000, s3GigabyteMonth: 23_000 },
  };
  return {
    'us-east-1': america,
    'us-east-2': america,
    'us-west-2': america,
    'eu-west-1': { ...america, diskGibHour: 122, natGigabyte: 48_000 },
    'eu-central-1': {
      ...common,
      x86_64: { vcpuHour: 46_560, gigabyteHour: 5_110 },
      arm64: { vcpuHour: 37_250, gigabyteHour: 4_090 },
      ...{ diskGibHour: 132, natGigabyte: 52_000, s3GigabyteMonth: 24_500 },
    },
    'ap-south-1': {
      ...common,
      x86_64: { vcpuHour: 42_560, gigabyteHour: 4_655 },
      arm64: { vcpuHour: 34_050, gigabyteHour: 3_720 },
      ...{ diskGibHour: 127, natGigabyte: 56_000, s3GigabyteMonth: 25_000 },
    },
  };
})();

/** Of the price on demand, about. Spot prices change by supply, so an amount of Spot is an estimate. */
const SPOT_PERCENT = 34;

/** The prices of one region, with their date; null where they are not known. */
export function buildPricesOf(region: string): (BuildPrices & { date: string; spotPercent: number }) | null {
  const prices = Object.hasOwn(BUILD_PRICES, region) ? BUILD_PRICES[region] : undefined;
  return prices ? { ...prices, date: DATE, spotPercent: SPOT_PERCENT } : null;
}
