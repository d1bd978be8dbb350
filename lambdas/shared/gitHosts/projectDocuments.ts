import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { Documents } from '../documents.ts';

/** The project that is meant, which another one of its name is not. */
export type ProjectIdentity = Pick<ProjectDocument, 'projectId' | 'addressKey'>;

/**
 * Documents of one project that a later project of its name takes for absent: a worker that was late may write one after
 * the project was removed. Each holds a mark of its project beside its value; one of an earlier version has none, and is
 * the project's that has the name.
 */
export interface ProjectDocuments {
  read<T>(project: ProjectIdentity, key: string, schema: z.ZodType<T>): Promise<T | null>;
  /** As `Documents.change`; another project's document is replaced. */
  change<T extends object>(
    project: ProjectIdentity,
    key: string,
    schema: z.ZodType<T>,
    change: (before: T | null) => T | null,
  ): Promise<T | null>;
}

const MarkedSchema = z.looseObject({ projectMark: z.string().optional() });
type Marked = z.infer<typeof MarkedSchema>;

/** Not the key itself, from which addresses are derived. */
const markOf = ({ addressKey }: ProjectIdentity): string =>
  createHash('sha256').update(`mark:${addressKey}`).digest('hex').slice(0, 32);

export function openProjectDocuments(documents: Documents): ProjectDocuments {
  const openValue = <T>(project: ProjectIdentity, schema: z.ZodType<T>, found: Marked | null): T | null => {
    if (!found) return null;
    const { projectMark, ...value } = found;
    return projectMark === undefined || projectMark === markOf(project) ? schema.parse(value) : null;
  };
  return {
    read: async (project, key, schema) => openValue(project, schema, await documents.read(key, MarkedSchema)),
    async change<T extends object>(
      project: ProjectIdentity,
      key: string,
      schema: z.ZodType<T>,
      change: (before: T | null) => T | null,
    ) {
      let after: T | null = null;
      await documents.change<Marked>(key, MarkedSchema, (found) => {
        const before = openValue(project, schema, found);
        after = change(before);
        return after === null || after === before ? found : { ...after, projectMark: markOf(project) };
      });
      return after;
    },
  };
}
