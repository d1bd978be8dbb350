import type { DroppedCaches } from '../../contract/api.ts';
import { LANES } from '../../contract/lanes.ts';
import { s3Keys } from '../../contract/names.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import { listObjects } from './listObjects.ts';
import { keyRemover } from './removeObjects.ts';

/** Removes the caches of a project, of every lane, and what an earlier version has left there. Safe to repeat. */
export type DropCaches = (projectId: string) => Promise<DroppedCaches['dropped']>;

export function dropCaches(s3: S3Calls, bucket: string): DropCaches {
  const removeKeys = keyRemover(s3, bucket);
  return async (projectId) => {
    const found: { key: string; size: number }[] = [];
    for await (const { Key = '', Size = 0 } of listObjects(s3, bucket, s3Keys.caches(projectId)))
      found.push({ key: Key, size: Size });
    // The indexes first: without one no build starts from an archive, and running builds do not write theirs back.
    const isIndex = ({ key }: { key: string }) => key.endsWith('/index.json');
    for (const part of [found.filter(isIndex), found.filter((object) => !isIndex(object))])
      await removeKeys(part.map(({ key }) => key));
    return LANES.flatMap((lane) => {
      const archives = found.filter(
        (object) => object.key.startsWith(s3Keys.cache(projectId, lane)) && !isIndex(object),
      );
      const bytes = archives.reduce((sum, { size }) => sum + size, 0);
      return archives.length > 0 ? [{ lane, archives: archives.length, bytes }] : [];
    });
  };
}
