import type { Signing } from '../shared/signing.ts';

/**
 * How long unsigned messages are still taken after signing began: builds that the earlier version has started live for an
 * hour at most, and what it had sent may wait to be read. They are taken for deployments alone that were requested before.
 */
export const UNSIGNED_GRACE_MS = 2 * 3_600_000;

/** True while what the earlier version's functions and builders say may still come. */
export const takesUnsigned = ({ since }: Signing, now: number): boolean => since > 0 && now < since + UNSIGNED_GRACE_MS;

/** True for deployments that the earlier version has accepted. */
export const isOfEarlierVersion = ({ since }: Signing, requestedAt: string): boolean => Date.parse(requestedAt) < since;
