import type { Signing } from '../shared/signing.ts';

/**
 * How long unsigned messages are still accepted after signing began: builds that the earlier version started run for an
 * hour at most, and their messages may wait to be read. They are accepted only for deployments that were requested
 * before.
 */
export const UNSIGNED_GRACE_MS = 2 * 3_600_000;

/** True while messages of the earlier version's functions and builders may still arrive. */
export const takesUnsigned = ({ since }: Signing, now: number): boolean => since > 0 && now < since + UNSIGNED_GRACE_MS;

/** True for deployments that the earlier version has accepted. */
export const isOfEarlierVersion = ({ since }: Signing, requestedAt: string): boolean => Date.parse(requestedAt) < since;
