import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import { VerenError } from '../../../contract/errors.ts';
import { type Caller, includesScope, mayUseProject } from '../../../contract/people.ts';
import { accessOf } from './access.ts';

/** Where a path of this pattern names a project. */
const OF_PROJECT = /^\/projects\/[:{*]/;

/**
 * Checks the caller against every route that could answer the request; what no route answers is allowed.
 * @returns why the caller is refused, or null
 */
export function authoriseRequest(c: Context, caller: Caller): VerenError | null {
  const routes = matchedRoutes(c).filter(({ method, path }) => !(method === 'ALL' && /^\/?\*$/.test(path)));
  for (const { method, path } of routes) {
    const projectId = OF_PROJECT.test(path) ? projectOfPath(c.req.path) : undefined;
    if (projectId !== undefined && !mayUseProject(caller, projectId))
      return new VerenError('NOT_FOUND', { what: `project "${projectId.slice(0, 63)}"` });
    const access = accessOf(method, path);
    if (!includesScope(caller.scope, access.scope))
      return forbid(`it needs the scope "${access.scope}", and this token has "${caller.scope}".`);
    if (access.wholeOwner && caller.projects)
      return forbid('it concerns the owner as a whole, and this token is limited to projects.');
  }
  return null;
}

const forbid = (reason: string) => new VerenError('FORBIDDEN', { reason });

/** The project as the route's handler reads it. Text that cannot be decoded names none, so no token is good for it. */
function projectOfPath(path: string): string {
  const given = path.split('/')[2] ?? '';
  try {
    return decodeURIComponent(given);
  } catch {
    return given;
  }
}
