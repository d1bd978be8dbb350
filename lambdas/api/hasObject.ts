import type { S3Calls } from '../shared/adapters/aws/clients.ts';

/** Whether the bucket has a key: a site's manifest, for example, is removed with its files. */
export const objectFinder =
  (s3: S3Calls, Bucket: string) =>
  async (Key: string): Promise<boolean> => {
    const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      await s3.send(new HeadObjectCommand({ Bucket, Key }));
      return true;
    } catch (e) {
      if (['NotFound', 'NoSuchKey'].includes((e as Error).name)) return false;
      throw e;
    }
  };
