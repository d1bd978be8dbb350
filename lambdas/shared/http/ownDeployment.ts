import { z } from '@hono/zod-openapi';
import { type Caller, mayUseProject } from '../../../contract/people.ts';
import type { DeploymentStore, StoredDeployment } from '../ports.ts';
import { failWith } from './problem.ts';

/** Any text is accepted here: one that is not an id gets 404, like an unknown id. */
export const idParams = z.object({ id: z.string() });
/** The form of ids; no other text is looked up in a store or becomes part of a key. */
const ID = /^[a-z0-9]{1,64}$/;

/**
 * The deployment, if it is the caller's. The answer for another owner's, or one of a project that the token is not good
 * for, is that of an unknown one.
 */
export async function ownDeployment(
  deps: { readonly store: DeploymentStore },
  caller: Caller,
  deploymentId: string,
): Promise<StoredDeployment> {
  const stored = ID.test(deploymentId) ? await deps.store.get(deploymentId) : null;
  if (stored?.record.owner !== caller.owner || !mayUseProject(caller, stored.record.projectId))
    return failWith('NOT_FOUND', { what: `deployment "${deploymentId.slice(0, 64)}"` });
  return stored;
}
