import type { Task } from '@aws-sdk/client-ecs';
import type { Rates, TaskUse } from '../../contract/cost.ts';
import { buildPricesOf } from '../../contract/prices.ts';

/** Where tasks run, as far as their price depends on it. */
export interface Accounts {
  readonly region: string;
  /** How builders reach the outside: by a NAT gateway, which bills bytes, or by an address of their own. */
  readonly network: 'NAT gateway' | 'public address';
}

/** Billed even where a task ran for less. Source for this and the next: the price page of Fargate, Linux. */
const LEAST_SECONDS = 60;
const FREE_DISK_GIB = 20;

/** What a stopped task is billed for; null for one whose image was never pulled, which costs nothing. */
export function taskUse(task: Task, { region, network }: Accounts): TaskUse | null {
  const { pullStartedAt, stoppedAt } = task;
  if (!pullStartedAt || !stoppedAt) return null;
  const capacity = task.capacityProviderName === 'FARGATE_SPOT' ? 'spot' : 'on demand';
  const rates = ratesOf(task, { region, network }, capacity);
  return {
    seconds: Math.max(LEAST_SECONDS, Math.ceil((stoppedAt.getTime() - pullStartedAt.getTime()) / 1_000)),
    cpuUnits: wholeNumber(task.cpu),
    memoryMiB: wholeNumber(task.memory),
    billedDiskGiB: Math.max(0, (task.ephemeralStorage?.sizeInGiB ?? FREE_DISK_GIB) - FREE_DISK_GIB),
    ...{ capacity, region },
    ...(rates && { rates }),
  };
}

function ratesOf(task: Task, { region, network }: Accounts, capacity: TaskUse['capacity']): Rates | null {
  const prices = buildPricesOf(region);
  if (!prices) return null;
  const isArm = task.attributes?.some(({ name, value }) => name === 'ecs.cpu-architecture' && value === 'arm64');
  const { vcpuHour, gigabyteHour } = isArm ? prices.arm64 : prices.x86_64;
  const discounted = (price: number) => (capacity === 'spot' ? Math.round((price * prices.spotPercent) / 100) : price);
  const { date, diskGibHour, s3Put, s3GigabyteMonth, ecrGigabyteMonth } = prices;
  return {
    ...{ date, diskGibHour, s3Put, s3GigabyteMonth, ecrGigabyteMonth },
    vcpuHour: discounted(vcpuHour),
    gigabyteHour: discounted(gigabyteHour),
    addressHour: network === 'public address' ? prices.addressHour : 0,
    networkGigabyte: network === 'NAT gateway' ? prices.natGigabyte : 0,
  };
}

const wholeNumber = (text: string | undefined): number => Math.max(0, Math.trunc(Number(text)) || 0);
