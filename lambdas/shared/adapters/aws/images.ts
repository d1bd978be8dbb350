import type { ECRClient } from '@aws-sdk/client-ecr';
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
