import { randomBytes } from 'node:crypto';
import { VerenError } from '../../../contract/errors.ts';
import type { Handover } from '../../../contract/handover.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { S3Calls } from '../../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../../shared/adapters/aws/urlSigner.ts';

type Build = Pick<BuildJob, 'projectId' | 'deploymentId' | 'target'>;

export interface WrittenHandover {
  /** URL by which it can be read, for `HANDOVER_SECONDS`. */
  readonly url: string;
  /** Removes it, when no task was started with it. */
  discard(): Promise<void>;
}

/** Puts a builder's environment where it can be read once. Each start has its own; throws HANDOVER_FAILED. */
export type WriteHandover = (build: Build, variables: Readonly<Record<string, string>>) => Promise<WrittenHandover>;

export interface HandoverPlace {
  readonly s3: S3Calls;
  /** Signs the URLs, so it has the endpoint that builders use. Its rights are the URLs'. */
  readonly signer: UrlSigner;
  readonly bucket: string;
}

/** The condition is signed too, so the URL can be used to write the first claim and for nothing else. */
const CLAIM_HEADERS = { 'if-none-match': '*' };

/**
 * The object itself holds signed URLs for its claim and its removal, so the credentials of a build need no right on any
 * hand-over.
 */
export function handoverWriter({ s3, signer: signCommand, bucket: Bucket }: HandoverPlace): WriteHandover {
  return async ({ projectId, deploymentId, target }, variables) => {
    // The name holds 128 random bits that only the URL contains, so it cannot be guessed.
    const name = `${target}-${randomBytes(16).toString('hex')}`;
    const Key = s3Keys.handover(projectId, deploymentId, name);
    const { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const claim = { Bucket, Key: s3Keys.handoverClaim(projectId, deploymentId, name), IfNoneMatch: '*' };
    try {
      const [url, claimUrl, removeUrl] = await Promise.all([
        signCommand(new GetObjectCommand({ Bucket, Key })),
        signCommand(new PutObjectCommand(claim)),
        signCommand(new DeleteObjectCommand({ Bucket, Key })),
      ]);
      const handover: Handover = {
        v: 1,
        variables: { ...variables },
        claim: { url: claimUrl, headers: CLAIM_HEADERS },
        remove: { url: removeUrl },
      };
      await s3.send(
        new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(handover), ContentType: 'application/json' }),
      );
      const discardObject = async () => void (await s3.send(new DeleteObjectCommand({ Bucket, Key })));
      return { url, discard: discardObject };
    } catch (e) {
      throw new VerenError('HANDOVER_FAILED', { reason: (e as Error).name }, { cause: e });
    }
  };
}
