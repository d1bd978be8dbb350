import type { ECRClient } from '@aws-sdk/client-ecr';
import { imageTag } from '../../../../contract/names.ts';
import type { ArtifactPlaces } from '../../artifact.ts';

/** Neither is an error for the caller: the build that pushes reports which of the two it is. */
const ABSENT = ['ImageNotFoundException', 'RepositoryNotFoundException'];

/** Images in the users' repository. `uri` is `registry/repository`; the SDK is loaded at the first call. */
export function ecrImages(uri: string, client?: ECRClient): NonNullable<ArtifactPlaces['findImage']> {
  const repositoryName = uri.slice(uri.indexOf('/') + 1);
  return async (tag) => {
    const ecr = await import('@aws-sdk/client-ecr');
    client ??= new ecr.ECRClient({});
    try {
      const { imageDetails } = await client.send(
        new ecr.DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: tag }] }),
      );
      const image = imageDetails?.[0];
      if (!image?.imageDigest) return null;
      return { kind: 'image', uri: `${uri}:${tag}`, digest: image.imageDigest, bytes: image.imageSizeInBytes ?? 0 };
    } catch (e) {
      if (ABSENT.includes((e as Error).name)) return null;
      throw e;
    }
  };
}

/** The most images of one call. Source: ECR API reference, `BatchDeleteImage`. */
const MAX_IMAGES = 100;

/**
 * Removes users' images by their exact tags: a search for what begins with a project's name would also find `shop-2` of
 * `shop`.
 */
export function ecrImageRemover(uri: string, client?: ECRClient) {
  const repositoryName = uri.slice(uri.indexOf('/') + 1);
  return async (projectId: string, deploymentIds: readonly string[]): Promise<number> => {
    const ecr = await import('@aws-sdk/client-ecr');
    client ??= new ecr.ECRClient({});
    let removed = 0;
    for (let i = 0; i < deploymentIds.length; i += MAX_IMAGES) {
      const imageIds = deploymentIds.slice(i, i + MAX_IMAGES).map((id) => ({ imageTag: imageTag(projectId, id) }));
      const answer = await client.send(new ecr.BatchDeleteImageCommand({ repositoryName, imageIds }));
      removed += answer.imageIds?.length ?? 0;
      const failed = answer.failures?.find(({ failureCode }) => failureCode !== 'ImageNotFound');
      if (failed) throw new Error(`an image could not be removed: ${failed.failureCode} ${failed.failureReason ?? ''}`);
    }
    return removed;
  };
}
