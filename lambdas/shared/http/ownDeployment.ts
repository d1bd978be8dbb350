import { z } from '@hono/zod-openapi';
import type { DeploymentStore, StoredDeployment } from '../ports.ts';
import { failWith } from './problem.ts';

/** Any text: what is no id is not found, as an id of nobody is. */
export const idParams = z.object({ id: z.string() });
/** What ids look like; nothing else is looked up in a store or made part of a key. */
const ID = /^[a-z0-9]{1,64}$/;

/** The deployment, if it is the caller's; another owner's is not told apart from none. */
export async function ownDeployment(
  deps: { readonly store: DeploymentStore },
  owner: string,
  deploymentId: string,
): Promise<StoredDeployment> {
  const stored = ID.test(deploymentId) ? await deps.store.get(deploymentId) : null;
  if (stored?.record.owner !== owner)
    return failWith('NOT_FOUND', { what: `deployment "${deploymentId.slice(0, 64)}"` });
  return stored;
}
