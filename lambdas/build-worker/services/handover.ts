import { randomBytes } from 'node:crypto';
import type {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ClientConfig,
} from '@aws-sdk/client-s3';
import { VerenError } from '../../../contract/errors.ts';
import { HANDOVER_SECONDS, type Handover } from '../../../contract/handover.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { S3Calls } from '../../shared/adapters/aws/clients.ts';
import { lazyAsync } from '../../shared/once.ts';

type Build = Pick<BuildJob, 'projectId' | 'deploymentId' | 'target'>;

export interface WrittenHandover {
  /** URL by which it can be read, for `HANDOVER_SECONDS`. */
  readonly url: string;
  /** Removes it, when no task was started with it. */
  discard(): Promise<void>;
}

/** Puts a builder's environment where it can be read once. Each start has its own; throws HANDOVER_FAILED. */
export type WriteHandover = (build: Build, variables: Readonly<Record<string, string>>) => Promise<WrittenHandover>;

type Signable = GetObjectCommand | PutObjectCommand | DeleteObjectCommand;
/** Makes the URL of a call, good for `HANDOVER_SECONDS`. */
export type UrlSigner = (command: Signable) => Promise<string>;
/** The presigner's own types do not hold with exactOptionalPropertyTypes. */
type Presign = (client: S3Client, command: Signable, options: { readonly expiresIn: number }) => Promise<string>;

export interface HandoverPlace {
  readonly s3: S3Calls;
  /** Signs the URLs, so it has the endpoint that builders use. Its rights are the URLs'. */
  readonly signer: UrlSigner;
  readonly bucket: string;
}

/** A client that only signs. Without checksums, which whoever uses a URL would have to send or to check too. */
export function urlSigner(config: S3ClientConfig): UrlSigner {
  const openSdk = lazyAsync(async () => {
    const [{ S3Client }, { getSignedUrl }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/s3-request-presigner'),
    ]);
    const client = new S3Client({
      ...config,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return { client, presign: getSignedUrl as unknown as Presign };
  });
  return async (command) => {
    const { client, presign } = await openSdk();
    return presign(client, command, { expiresIn: HANDOVER_SECONDS });
  };
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
