import { TARGETS, type Target } from '../../contract/builders.ts';
import type { Cost, Rates, TaskCost, TaskUse, Traffic } from '../../contract/cost.ts';
import type { Artifact } from '../../contract/record.ts';
import type { AttemptFacts, DeploymentFacts } from './facts.ts';

const HOUR = 3_600;
const CPU_UNITS = 1_024;
/** Fargate, S3 and ECR bill memory and bytes by powers of two, and call the unit GB. */
const MIB_OF_GB = 1_024;
const KIB_OF_GB = 1_024 * 1_024;

/**
 * What a build says of itself counts up to what its task can have done, since its code may say anything: bytes in a second
 * of a network of 25 Gbit/s, Fargate's largest disk, and writes of small files for as long as a build may take.
 */
const MOST = { networkBytesPerSecond: 25e9 / 8, storedBytes: 200 * 1_024 ** 3, files: 1_000_000 } as const;
const within = (said: number, most: number): number => Math.min(Math.max(said, 0), most);

/**
 * What the tasks of a deployment cost that have ended, those of failed and repeated attempts among them; undefined where
 * none is known to have. The rates are those of the moment, so that the same facts give the same cost for ever.
 */
export function costOf(facts: DeploymentFacts): Cost | undefined {
  const used = TARGETS.flatMap((target) =>
    Object.entries(facts.attempts[target] ?? {}).flatMap(([n, attempt]) =>
      attempt.used ? [{ use: attempt.used.use, cost: taskCost(target, Number(n), attempt, attempt.used.use) }] : [],
    ),
  );
  const first = used[0];
  if (!first) return undefined;
  const dates = used.flatMap(({ use }) => use.rates?.date ?? []).toSorted();
  const isPriced = dates.length === used.length;
  return {
    ...(isPriced && { microUsd: used.reduce((sum, { cost }) => sum + amountOf(cost), 0) }),
    region: first.use.region,
    ...(isPriced && { pricesOf: dates.at(-1) }),
    tasks: used.map(({ cost }) => cost),
  };
}

const amountOf = ({ compute = 0, network = 0, storage = 0 }: TaskCost) => compute + network + storage;

function taskCost(target: Target, attempt: number, facts: AttemptFacts, use: TaskUse): TaskCost {
  const { region, rates, ...billed } = use;
  const told = [facts.ended, facts.stored, facts.undecided].filter((end) => end !== undefined);
  const traffic = told.flatMap((end) => ('traffic' in end && end.traffic ? [end.traffic] : []))[0];
  const artifact = told.flatMap((end) => ('artifact' in end ? [end.artifact] : []))[0];
  return {
    ...{ target, attempt, ...billed },
    ...(traffic && { traffic }),
    ...(rates && {
      compute: computeCost(use, rates),
      ...(traffic && { network: networkCost(traffic, use, rates) }),
      ...(artifact && { storage: storageCost(artifact, rates) }),
    }),
  };
}

/** Each part is rounded by itself, so that an amount depends on nothing but its own facts. */
const computeCost = ({ seconds, cpuUnits, memoryMiB, billedDiskGiB }: TaskUse, rates: Rates): number =>
  Math.round((cpuUnits * seconds * rates.vcpuHour) / (CPU_UNITS * HOUR)) +
  Math.round((memoryMiB * seconds * rates.gigabyteHour) / (MIB_OF_GB * HOUR)) +
  Math.round((billedDiskGiB * seconds * rates.diskGibHour) / HOUR) +
  Math.round((seconds * rates.addressHour) / HOUR);

const networkCost = ({ received, sent }: Traffic, { seconds }: TaskUse, rates: Rates): number =>
  ofBytes(within(received + sent, seconds * MOST.networkBytesPerSecond), rates.networkGigabyte);

/** By KiB, so that the product stays exact. */
const ofBytes = (bytes: number, rate: number): number => Math.round((Math.ceil(bytes / 1_024) * rate) / KIB_OF_GB);

/** A laptop's folder is kept on its own disk. */
function storageCost(artifact: Artifact, rates: Rates): number {
  const bytes = within(artifact.bytes, MOST.storedBytes);
  if (artifact.kind === 'static')
    return within(artifact.files, MOST.files) * rates.s3Put + ofBytes(bytes, rates.s3GigabyteMonth);
  return artifact.kind === 'image' ? ofBytes(bytes, rates.ecrGigabyteMonth) : 0;
}
