import type { ECRClient } from '@aws-sdk/client-ecr';
import type { ArtifactPlaces } from '../../artifact.ts';

/** Neither is a fault of the one who asks: the build that pushes says which of the two it is. */
const ABSENT = ['ImageNotFoundException', 'RepositoryNotFoundException'];

/** Images in the users' repository. `uri` is `registry/repository`; the SDK is loaded when it is first asked. */
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
