import type { ProjectView } from '../../contract/project.ts';
import type { VerenClient } from '../client/VerenClient.ts';

/** More are no list that a person reads; a server whose pages never end is left after them. */
const MAX_PROJECTS = 10_000;

/** Every project, by name. */
export async function listAllProjects(client: VerenClient): Promise<ProjectView[]> {
  const found: ProjectView[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listProjects({ limit: 100, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    // A page may be empty and name another one, but not the same again.
    if (page.cursor === cursor) break;
    cursor = page.cursor;
  } while (cursor !== undefined && found.length < MAX_PROJECTS);
  return found;
}
