import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { UPLOADS_PREFIX } from '../../contract/names.ts';
import { UPLOAD_DAYS } from '../../contract/uploads.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';

/** Removes what was uploaded long ago, as the bucket's rule does on AWS. */
export async function clearUploads(s3: S3Client, Bucket: string, clock: Clock): Promise<void> {
  const oldest = clock.now() - UPLOAD_DAYS * 86_400_000;
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: UPLOADS_PREFIX })) {
    const old = Contents.filter(({ LastModified }) => (LastModified?.getTime() ?? 0) < oldest);
    const Objects = old.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  }
}
