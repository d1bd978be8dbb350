import { VerenError } from '../../../contract/errors.ts';
import { MAX_ASKED_BY_MAIL } from '../../../contract/notifications.ts';
import { type LimitsOfOwners, limitsOf } from '../../../contract/ownerLimits.ts';
import { MAX_NEW_UPLOADS } from '../../../contract/uploads.ts';
import type { Log } from '../logger.ts';
import type { RateLimit, RateTaken } from '../ports.ts';
import type { MeasureStorage } from './storageUse.ts';

/** Keeps every owner within its limits. Throws RATE_LIMITED, UPLOAD_RATE_LIMITED, MAIL_RATE_LIMITED, STORAGE_FULL. */
export interface OwnerLimiter {
  /** Before a request is answered. */
  limitRequest(owner: string): Promise<void>;
  /** Before a deployment is made. */
  limitDeployment(owner: string): Promise<void>;
  /** Before a folder that was not known is noted. No operator sets this limit. */
  limitUpload(owner: string): Promise<void>;
  /** Before somebody who may know nothing of it is asked by e-mail. No operator sets this limit. */
  limitMail(owner: string): Promise<void>;
  /** Before something else is stored. */
  limitStorage(owner: string): Promise<void>;
}

export const GIB = 1_024 ** 3;
/** How old the count may be by which somebody is refused: every deployment that is refused would count again. */
const FRESH_MS = 60_000;
/** The windows that requests, deployments and new uploads are counted in. */
export const RATES = {
  requests: { key: (owner: string) => `requests:${owner}`, windowMs: 60_000 },
  deployments: { key: (owner: string) => `deployments:${owner}`, windowMs: 3_600_000 },
  uploads: { key: (owner: string) => `uploads:${owner}`, windowMs: 3_600_000 },
  mails: { key: (owner: string) => `mails:${owner}`, windowMs: 86_400_000 },
} as const;

export interface OwnerLimiterDeps {
  readonly rateLimit: RateLimit;
  readonly limits: LimitsOfOwners;
  readonly measureStorage: MeasureStorage;
  readonly log: Log;
}

export function limitOwners({ rateLimit, limits, measureStorage, log }: OwnerLimiterDeps): OwnerLimiter {
  const takeRate = async (of: keyof typeof RATES, owner: string, limit: number): Promise<RateTaken> => {
    const { key, windowMs } = RATES[of];
    return rateLimit.take(key(owner), limit, windowMs).catch((error): RateTaken => {
      // A lost counter must not keep an admin from revoking a token.
      log.warn('A limit could not be checked, so it is not applied', { owner, error });
      return { taken: true, waitMs: 0 };
    });
  };
  const secondsOf = ({ waitMs }: RateTaken) => Math.ceil(waitMs / 1_000);
  const requireRate = async (of: keyof typeof RATES, owner: string, limit: number | undefined, what: string) => {
    // Counted also without a limit: the usage says how much it is.
    const rate = await takeRate(of, owner, limit ?? Number.MAX_SAFE_INTEGER);
    if (limit !== undefined && !rate.taken)
      throw new VerenError('RATE_LIMITED', { limit: `${limit} ${what}.`, seconds: secondsOf(rate) });
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
      requireRate('requests', owner, limitsOf(limits, owner).requestsPerMinute, 'requests a minute'),
    async limitUpload(owner) {
      const rate = await takeRate('uploads', owner, MAX_NEW_UPLOADS);
      if (!rate.taken)
        throw new VerenError('UPLOAD_RATE_LIMITED', { limit: MAX_NEW_UPLOADS, seconds: secondsOf(rate) });
    },
    async limitMail(owner) {
      const rate = await takeRate('mails', owner, MAX_ASKED_BY_MAIL);
      if (!rate.taken)
        throw new VerenError('MAIL_RATE_LIMITED', { limit: MAX_ASKED_BY_MAIL, seconds: secondsOf(rate) });
    },
    async limitDeployment(owner) {
      await requireRate('deployments', owner, limitsOf(limits, owner).deploymentsPerHour, 'deployments an hour');
      await limitStorage(owner);
    },
  };
}
