import { type Caller, mayUseProject } from '../../contract/people.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { DeploymentStore } from '../shared/ports.ts';

interface ListQuery {
  readonly projectId?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}
type Page = Awaited<ReturnType<DeploymentStore['list']>>;

/** Records that are looked at for one page of a token that is limited to projects. */
const SCAN_PAGE = 100;
const MAX_SCANS = 5;

/**
 * A page of the deployments that the caller may see. For a token of several projects the owner's list is filtered: such
 * a page may be short or empty and still have a cursor, so that one request never reads the whole list.
 */
export async function listForCaller(store: DeploymentStore, caller: Caller, query: ListQuery): Promise<Page> {
  const { owner, projects } = caller;
  const { limit, cursor } = query;
  const only = query.projectId ?? (projects?.length === 1 ? projects[0] : undefined);
  if (only !== undefined && !mayUseProject(caller, only)) return { items: [] };
  const listFrom = (from: string | undefined, n: number) =>
    store.list({
      ...{ owner, limit: n },
      ...(only !== undefined && { projectId: only }),
      ...(from !== undefined && { cursor: from }),
    });
  if (projects === undefined || only !== undefined) return listFrom(cursor, limit);
  const items: DeploymentRecord[] = [];
  let from = cursor;
  for (let scans = 0; scans < MAX_SCANS; scans++) {
    const page = await listFrom(from, SCAN_PAGE);
    for (const record of page.items) {
      from = record.deploymentId;
      if (mayUseProject(caller, record.projectId)) items.push(record);
      if (items.length === limit) return { items, cursor: from };
    }
    if (page.cursor === undefined) return { items };
  }
  return { items, ...(from !== undefined && { cursor: from }) };
}
