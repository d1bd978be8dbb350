import type {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ClientConfig,
} from '@aws-sdk/client-s3';
import { HANDOVER_SECONDS } from '../../../../contract/handover.ts';
import { lazyAsync } from '../../once.ts';

type Signable = GetObjectCommand | PutObjectCommand | DeleteObjectCommand;

export interface SigningOptions {
  /** Names of headers that whoever uses the URL has to send, in place of being part of it: S3 checks a checksum only so. */
  readonly asHeaders?: readonly string[];
}

/** Makes the URL of a call, good for `HANDOVER_SECONDS`. */
export type UrlSigner = (command: Signable, options?: SigningOptions) => Promise<string>;
/** The presigner's own types do not hold with exactOptionalPropertyTypes. */
type Presign = (
  client: S3Client,
  command: Signable,
  options: { readonly expiresIn: number; readonly unhoistableHeaders?: Set<string> },
) => Promise<string>;

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
  return async (command, { asHeaders = [] } = {}) => {
    const { client, presign } = await openSdk();
    return presign(client, command, { expiresIn: HANDOVER_SECONDS, unhoistableHeaders: new Set(asHeaders) });
  };
}
