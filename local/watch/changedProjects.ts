import { PROJECTS_PREFIX } from '../../contract/names.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { listObjects } from '../../lambdas/shared/listObjects.ts';
import type { ProjectStore } from '../../lambdas/shared/projects/projectStore.ts';

/** All projects of an owner, which are asked for every moment: only those are read whose documents have changed since. */
export function changedProjects(
  { s3, projects }: { readonly s3: S3Calls; readonly projects: Pick<ProjectStore, 'get'> },
  { bucket, owner }: { readonly bucket: string; readonly owner: string },
): () => Promise<ProjectDocument[]> {
  const known = new Map<string, { readonly tag: string | undefined; readonly project: ProjectDocument | null }>();
  return async () => {
    const listed = new Set<string>();
    for await (const { Key = '', ETag: tag } of listObjects(s3, bucket, PROJECTS_PREFIX)) {
      const id = Key.slice(PROJECTS_PREFIX.length).replace(/\.json$/, '');
      listed.add(id);
      // What was written since the listing is another tag in the next one.
      if (tag === undefined || known.get(id)?.tag !== tag) known.set(id, { tag, project: await projects.get(id) });
    }
    for (const id of known.keys()) if (!listed.has(id)) known.delete(id);
    return [...known.values()].flatMap(({ project }) => (project?.owner === owner ? [project] : []));
  };
}
