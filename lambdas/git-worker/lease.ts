/**
 * Longer than one delivery or one report may take (ms): the function takes no job for which it has less time left, so a
 * job is never cut off.
 */
export const LEASE_MS = 150_000;
