import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { HANDOVER_PREFIX } from '../../contract/names.ts';

/**
 * Removes hand-overs that builds from before a restart have not read, as the bucket's rule does on AWS. Call it after
 * those were ended.
 */
export async function clearHandovers(s3: S3Client, Bucket: string): Promise<void> {
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: HANDOVER_PREFIX })) {
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  }
}
