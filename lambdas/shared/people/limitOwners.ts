import { VerenError } from '../../../contract/errors.ts';
import { type LimitsOfOwners, limitsOf } from '../../../contract/ownerLimits.ts';
import type { Log } from '../logger.ts';
import type { RateLimit, RateTaken } from '../ports.ts';
import type { MeasureStorage } from './storageUse.ts';

/** Keeps every owner within its limits. Both throw: RATE_LIMITED, STORAGE_FULL. */
export interface OwnerLimiter {
  /** Before a request is answered. */
  limitRequest(owner: string): Promise<void>;
  /** Before a deployment is made. */
  limitDeployment(owner: string): Promise<void>;
  /** Before something else is stored. */
  limitStorage(owner: string): Promise<void>;
}

export const GIB = 1_024 ** 3;
/** How old the count may be by which somebody is refused: every deployment that is refused would count again. */
const FRESH_MS = 60_000;
/** The two windows that requests and deployments are counted in. */
export const RATES = {
  requests: { key: (owner: string) => `requests:${owner}`, windowMs: 60_000 },
  deployments: { key: (owner: string) => `deployments:${owner}`, windowMs: 3_600_000 },
} as const;

export interface OwnerLimiterDeps {
  readonly rateLimit: RateLimit;
  readonly limits: LimitsOfOwners;
  readonly measureStorage: MeasureStorage;
  readonly log: Log;
}

export function limitOwners({ rateLimit, limits, measureStorage, log }: OwnerLimiterDeps): OwnerLimiter {
  const takeRate = async (of: keyof typeof RATES, owner: string, limit: number | undefined, what: string) => {
    if (limit === undefined) return;
    const { key, windowMs } = RATES[of];
    const { taken, waitMs } = await rateLimit.take(key(owner), limit, windowMs).catch((error): RateTaken => {
      // A lost counter must not keep an admin from revoking a token.
      log.warn('A limit could not be checked, so it is not applied', { owner, error });
      return { taken: true, waitMs: 0 };
    });
    if (!taken)
      throw new VerenError('RATE_LIMITED', { limit: `${limit} ${what}.`, seconds: Math.ceil(waitMs / 1_000) });
  };
  const limitStorage = async (owner: string) => {
    const { storageGiB } = limitsOf(limits, owner);
    if (storageGiB === undefined) return;
    const isFull = (bytes: number) => bytes >= storageGiB * GIB;
    if (!isFull((await measureStorage(owner)).bytes)) return;
    // Who has just made room is not refused by what was counted an hour ago.
    const { bytes } = await measureStorage(owner, FRESH_MS);
    if (isFull(bytes))
      throw new VerenError('STORAGE_FULL', { used: `${(bytes / GIB).toFixed(1)} GiB`, limit: `${storageGiB} GiB` });
  };
  return {
    limitStorage,
    limitRequest: (owner) =>
      takeRate('requests', owner, limitsOf(limits, owner).requestsPerMinute, 'requests a minute'),
    async limitDeployment(owner) {
      await takeRate('deployments', owner, limitsOf(limits, owner).deploymentsPerHour, 'deployments an hour');
      await limitStorage(owner);
    },
  };
}
