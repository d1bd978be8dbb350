/**
 * A sliding window made of two fixed ones: of the one before only the part counts that still lies within the window, as
 * if its events were spread evenly. So a limit cannot be used twice around the turn of a minute.
 */
export interface WindowCounts {
  readonly before: number;
  readonly current: number;
}

/** The number of the fixed window at this time, and how much of it has passed. */
export const windowAt = (now: number, windowMs: number) => ({
  index: Math.floor(now / windowMs),
  elapsed: now - Math.floor(now / windowMs) * windowMs,
});

/** How many events count at this time. */
export const countWithin = ({ before, current }: WindowCounts, elapsed: number, windowMs: number): number =>
  before * (1 - elapsed / windowMs) + current;

/** Milliseconds until one more fits under the limit, if nothing is added meanwhile; at least 1. */
export function waitForRoom(
  { before, current }: WindowCounts,
  limit: number,
  elapsed: number,
  windowMs: number,
): number {
  const room = limit - 1 - current;
  if (room >= 0 && before > 0) return Math.max(1, Math.ceil(windowMs * (1 - room / before) - elapsed));
  // Even without the window before there is no room, so this one has to become the one before.
  return Math.max(1, Math.ceil(windowMs - elapsed + windowMs * Math.max(0, 1 - (limit - 1) / Math.max(1, current))));
}
