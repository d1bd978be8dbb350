import { decodeTime, incrementBase32, isValid, monotonicFactory } from 'ulid';

/** A new id, greater than every one before it of this process and than `after`. */
export type NewId = (after?: string) => string;

/**
 * ULIDs in lower case. Their order is that of their making even where the clock is set back: what is newer, and so what is
 * live and what is listed first, is read from it.
 */
export function deploymentIds(clock: { now(): number }): NewId {
  const next = monotonicFactory();
  return (after) => {
    const id = next(clock.now()).toLowerCase();
    return after === undefined || id > after || !isUlid(after)
      ? id
      : incrementBase32(after.toUpperCase()).toLowerCase();
  };
}

/** Where a deployment stands among the others (ms): by its id, or, where that tells nothing, by its time. */
export const rankOf = ({ deploymentId, createdAt }: { readonly deploymentId: string; readonly createdAt: string }) =>
  isUlid(deploymentId) ? decodeTime(deploymentId.toUpperCase()) : Date.parse(createdAt);

const isUlid = (id: string) => isValid(id.toUpperCase());
