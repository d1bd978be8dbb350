import { createHash } from 'node:crypto';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { BackendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { FoundImage, ImageStore } from './images.ts';
import { imageBytes, ManifestSchema } from './layout.ts';

export interface Registry extends ImageStore {
  /** Plain HTTP. */
  readonly insecure: boolean;
  /** `auth` of Docker's configuration file: base64 of `user:password`; null where none is needed. Minted for one push. */
  authorization(): Promise<string | null>;
}

/** `registry/repository` in its two parts. */
export function splitUri(uri: string): { host: string; repository: string } {
  const slash = uri.indexOf('/');
  if (slash < 1 || slash === uri.length - 1)
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: 'ECR_URI has no repository' });
  return { host: uri.slice(0, slash), repository: uri.slice(slash + 1) };
}

const ECR_HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;
export const isLoopback = (host: string) => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

function parseFound(text: string, digest?: string): FoundImage {
  const manifest = ManifestSchema.parse(JSON.parse(text));
  return {
    digest: digest ?? `sha256:${createHash('sha256').update(text).digest('hex')}`,
    bytes: imageBytes(manifest),
    labels: manifest.annotations ?? {},
  };
}

const unreachableFault = (host: string, error: unknown) => {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const reason = `the registry ${host} cannot be reached (${cause?.code ?? cause?.message ?? (error as Error).name})`;
  return new VerenError('PUBLISH_FAILED', { reason }, { cause: error });
};

/** The registry of `ECR_URI`: ECR by its API where the address is ECR's, else any registry by the distribution API. */
export async function openRegistry(
  env: Pick<BackendEnv, 'ECR_URI' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'>,
  options: { readonly endpoint?: string | undefined; readonly insecure: readonly string[] },
): Promise<Registry> {
  const { host, repository } = splitUri(env.ECR_URI);
  const [, registryId, region] = ECR_HOST.exec(host) ?? [];
  if (registryId === undefined || region === undefined)
    return plainRegistry(host, repository, isLoopback(host) || options.insecure.includes(host));
  const { ECRClient } = await import('@aws-sdk/client-ecr');
  const client = new ECRClient({
    region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
    },
  });
  return ecrRegistry(client, { registryId, repository, host });
}

export interface EcrPlace {
  readonly registryId: string;
  readonly repository: string;
  readonly host: string;
}

export function ecrRegistry(client: ECRClient, { registryId, repository, host }: EcrPlace): Registry {
  const knownFault = (error: unknown): VerenError => {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    if (name === 'RepositoryNotFoundException') return new VerenError('IMAGE_REPOSITORY_MISSING', { repository });
    if ($metadata?.httpStatusCode === undefined) return unreachableFault(host, { cause: error });
    return new VerenError('PUBLISH_FAILED', { reason: `ECR answered ${name}` }, { cause: error });
  };
  return {
    insecure: false,
    async find(tag) {
      const { BatchGetImageCommand } = await import('@aws-sdk/client-ecr');
      const answer = await client
        .send(
          new BatchGetImageCommand({
            registryId,
            repositoryName: repository,
            imageIds: [{ imageTag: tag }],
            acceptedMediaTypes: MANIFEST_TYPES,
          }),
        )
        .catch((error: unknown) => {
          throw knownFault(error);
        });
      const image = answer.images?.[0];
      if (image?.imageManifest) return parseFound(image.imageManifest, image.imageId?.imageDigest);
      const failure = answer.failures?.find((f) => f.failureCode !== 'ImageNotFound');
      if (failure) throw new VerenError('PUBLISH_FAILED', { reason: `ECR answered ${failure.failureCode}` });
      return null;
    },
    async authorization() {
      const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
      const answer = await client.send(new GetAuthorizationTokenCommand({})).catch((error: unknown) => {
        throw knownFault(error);
      });
      const token = answer.authorizationData?.[0]?.authorizationToken;
      if (!token) throw new VerenError('PUBLISH_FAILED', { reason: 'ECR gave no authorization token' });
      return token;
    },
  };
}

export function plainRegistry(host: string, repository: string, insecure: boolean): Registry {
  return {
    insecure,
    async find(tag) {
      const url = `${insecure ? 'http' : 'https'}://${host}/v2/${repository}/manifests/${tag}`;
      const answer = await fetch(url, {
        headers: { accept: MANIFEST_TYPES.join(', ') },
        redirect: 'error',
        signal: AbortSignal.timeout(20_000),
      }).catch((error: unknown) => {
        throw unreachableFault(host, error);
      });
      const text = await answer.text();
      if (answer.status === 404) return null;
      if (!answer.ok)
        throw new VerenError('PUBLISH_FAILED', { reason: `the registry ${host} answered ${answer.status}` });
      return parseFound(text, answer.headers.get('docker-content-digest') ?? undefined);
    },
    authorization: async () => null,
  };
}
