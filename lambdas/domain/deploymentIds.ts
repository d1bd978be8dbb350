import { decodeTime, incrementBase32, isValid, monotonicFactory } from 'ulid';

/** A new id, greater than every one before it of this process and than `after`. */
export type NewId = (after?: string) => string;

/**
 * ULIDs in lower case, in the order in which they were made even where the clock was set back. The order decides which
 * deployment is newer, and so which is live and which is listed first.
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

/** Position of a deployment among the others (ms): the time in its id, or its own time where the id has none. */
export const rankOf = ({ deploymentId, createdAt }: { readonly deploymentId: string; readonly createdAt: string }) =>
  isUlid(deploymentId) ? decodeTime(deploymentId.toUpperCase()) : Date.parse(createdAt);

/** When a deployment was made (ms), by its id; undefined where the id does not say. */
export const createdAtOf = (deploymentId: string): number | undefined =>
  isUlid(deploymentId) ? decodeTime(deploymentId.toUpperCase()) : undefined;

const isUlid = (id: string) => isValid(id.toUpperCase());
