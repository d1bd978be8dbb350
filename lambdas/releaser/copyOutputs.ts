import {
  type CopyObjects,
  type Promoted,
  promoteDeployment,
} from '../../builder-images/builder-image-frontend/utils/promote.ts';
import { releaseWith } from '../domain/releases.ts';
import { completeCopy } from './completeCopy.ts';
import type { ReleaserDeps } from './deps.ts';

/**
 * Makes `__outputs/` of a project a copy of what is released. Nobody serves from it, so it may take its time; should the
 * release change meanwhile, the copy follows once more.
 * @param onCopy Called before each object.
 */
export async function copyReleased(
  deps: Pick<ReleaserDeps, 'projects' | 'objects' | 'clock'>,
  projectId: string,
  signal: AbortSignal,
  onCopy: () => Promise<void>,
): Promise<Promoted | null> {
  const objects: CopyObjects = {
    ...deps.objects,
    copy: async (from, to) => {
      await onCopy();
      await deps.objects.copy(from, to);
    },
  };
  const readReleased = async () => {
    const project = await deps.projects.get(projectId);
    return project && !project.deleting ? releaseWith(project, 'frontend')?.deploymentId : undefined;
  };
  for (let wanted = await readReleased(), done: Promoted | null = null; ; ) {
    if (wanted === undefined) return done;
    const manifest = await completeCopy(objects, projectId, wanted);
    if (!manifest) throw new Error(`the files of ${wanted}, which is released, are not there`);
    done = await promoteDeployment({ objects, projectId, manifest, now: deps.clock.now, signal });
    const now = await readReleased();
    if (now === wanted) return done;
    wanted = now;
  }
}
