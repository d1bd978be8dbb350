import type { BuildJob } from '../../../contract/jobs.ts';
import { s3Keys } from '../../../contract/names.ts';
import { uploadIdOf } from '../../../contract/uploads.ts';
import type { UrlSigner } from '../../shared/adapters/aws/urlSigner.ts';

/** Where the builder reads the pack of an uploaded folder; undefined for a repository. */
export type SignPack = (job: Pick<BuildJob, 'projectId' | 'gitUrl'>) => Promise<string | undefined>;

export const packSigner =
  (signUrl: UrlSigner, bucket: string): SignPack =>
  async ({ projectId, gitUrl }) => {
    const uploadId = uploadIdOf(gitUrl);
    if (uploadId === undefined) return undefined;
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    return signUrl(new GetObjectCommand({ Bucket: bucket, Key: s3Keys.uploadPack(projectId, uploadId) }));
  };
