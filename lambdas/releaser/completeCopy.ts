import type { CopyObjects } from '../../builder-images/builder-image-frontend/utils/promote.ts';
import { type Manifest, ManifestSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import { forEachParallel } from '../shared/async.ts';

const AT_ONCE = 64;

/**
 * The manifest of a deployment whose own files are all there; null where there is none that could be shown, or not any more. A
 * copy of an earlier version names unchanged files of earlier deployments: they are copied to it first, since who serves
 * a deployment knows its prefix only. Safe to repeat and to run at the same time as others.
 */
export async function completeCopy(
  objects: CopyObjects,
  projectId: string,
  deploymentId: string,
): Promise<Manifest | null> {
  const key = s3Keys.deploymentManifest(projectId, deploymentId);
  const found = await objects.get(key);
  if (!found) return null;
  const manifest = parseManifest(found.body.toString());
  if (!manifest || manifest.projectId !== projectId || manifest.deploymentId !== deploymentId) return null;
  if (!namesOwnFiles(manifest, projectId)) return null;
  if (manifest.complete) return manifest;
  const prefix = s3Keys.deploymentFiles(projectId, deploymentId);
  const complete: Manifest = {
    ...manifest,
    complete: true,
    objects: manifest.objects.map((object) => ({ ...object, key: prefix + object.path })),
  };
  const borrowed = manifest.objects.filter((object) => object.key !== prefix + object.path);
  await forEachParallel(borrowed, AT_ONCE, (object) => objects.copy(object.key, prefix + object.path));
  // Where somebody else was faster, what they wrote is the same.
  await objects.putIf(key, JSON.stringify(complete), found.etag);
  return complete;
}

function parseManifest(text: string): Manifest | null {
  try {
    return ManifestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * A build has written the manifest, and this function may read more than that build might: only files of the project's
 * own deployments are copied or served for it.
 */
function namesOwnFiles({ objects }: Manifest, projectId: string): boolean {
  const own = new RegExp(`^${s3Keys.deploymentFiles(projectId, '[a-z0-9]{1,40}')}`);
  return objects.every(
    ({ key, path }) => own.test(key) && path !== '' && !path.split('/').some((part) => part === '.' || part === '..'),
  );
}
