import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { VerenError } from '../../../contract/errors.ts';
import { HANDOVER_SECONDS, type Handover } from '../../../contract/handover.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { s3Keys } from '../../../contract/names.ts';

type Build = Pick<BuildJob, 'projectId' | 'deploymentId' | 'target'>;

export interface WrittenHandover {
  /** Reads it, for `HANDOVER_SECONDS`. */
  readonly url: string;
  /** For when no task was started with it. */
  discard(): Promise<void>;
}

/** Puts a builder's environment where it can be read once. Each start has its own; throws HANDOVER_FAILED. */
export type WriteHandover = (build: Build, variables: Readonly<Record<string, string>>) => Promise<WrittenHandover>;

export interface HandoverPlace {
  readonly s3: S3Client;
  /** Signs the URLs, so it has the endpoint that builders use. Its rights are the URLs'. */
  readonly signer: S3Client;
  readonly bucket: string;
}

/** A client that only signs. Without checksums, which whoever uses a URL would have to send or to check too. */
export const urlSigner = (config: ConstructorParameters<typeof S3Client>[0] & object): S3Client =>
  new S3Client({
    ...config,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

type Signable = GetObjectCommand | PutObjectCommand | DeleteObjectCommand;
/** The presigner's own types do not hold with exactOptionalPropertyTypes. */
const presign = getSignedUrl as unknown as (
  client: S3Client,
  command: Signable,
  options: { readonly expiresIn: number },
) => Promise<string>;

/** The condition is part of what is signed: whoever has the URL can be the first, and nothing else. */
const CLAIM_HEADERS = { 'if-none-match': '*' };

/**
 * The claim and the removal are signed URLs in the object itself, so the credentials of a build need no right on hand-overs:
 * neither its own nor another's.
 */
export function handoverWriter({ s3, signer, bucket: Bucket }: HandoverPlace): WriteHandover {
  const signCommand = (command: Signable) => presign(signer, command, { expiresIn: HANDOVER_SECONDS });
  return async ({ projectId, deploymentId, target }, variables) => {
    // Nobody finds it by trying: the name holds 128 bits that are told in the URL alone.
    const name = `${target}-${randomBytes(16).toString('hex')}`;
    const Key = s3Keys.handover(projectId, deploymentId, name);
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
