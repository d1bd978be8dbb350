import type { Scope } from '../../../contract/people.ts';

/** What a route needs of its caller. */
export interface Access {
  readonly scope: Scope;
  /** It concerns the owner as a whole, so a token that is limited to projects may not use it. */
  readonly wholeOwner?: boolean;
}

/**
 * Who may do what, by method and path: the one place that says so. `test/lambdas/api/access.test.ts` fails for a route
 * that is missing here. Of paths below `/projects/{id}` the token's projects are checked before anything else.
 */
const ROUTES: Readonly<Record<string, Access>> = {
  'POST /deployments': { scope: 'deploy' },
  'GET /deployments': { scope: 'read' },
  'GET /deployments/{id}': { scope: 'read' },
  'GET /deployments/{id}/files': { scope: 'read' },
  'GET /deployments/{id}/logs': { scope: 'read' },
  'POST /deployments/{id}/cancel': { scope: 'deploy' },
  'POST /deployments/{id}/redeploy': { scope: 'deploy' },
  'POST /deployments/{id}/promote': { scope: 'deploy' },
  // It makes the platform fetch a repository.
  'POST /analyze': { scope: 'deploy' },
  'POST /tickets': { scope: 'read' },
  'GET /projects': { scope: 'read' },
  'GET /projects/{id}': { scope: 'read' },
  'PUT /projects/{id}': { scope: 'admin' },
  'PATCH /projects/{id}': { scope: 'admin' },
  'DELETE /projects/{id}': { scope: 'admin' },
  'POST /projects/{id}/restore': { scope: 'admin' },
  'PUT /projects/{id}/preview-password': { scope: 'admin' },
  // What POST /deployments may do: make a project, and store what is deployed.
  'POST /projects/{id}/uploads': { scope: 'deploy' },
  'GET /projects/{id}/costs': { scope: 'read' },
  'GET /projects/{id}/service': { scope: 'read' },
  // What a backend prints may be more than viewers are to see.
  'GET /projects/{id}/logs': { scope: 'deploy' },
  'DELETE /projects/{id}/cache': { scope: 'deploy' },
  'GET /projects/{id}/releases': { scope: 'read' },
  'POST /projects/{id}/releases': { scope: 'deploy' },
  'POST /projects/{id}/rollback': { scope: 'deploy' },
  'POST /projects/{id}/pin': { scope: 'deploy' },
  'POST /projects/{id}/unpin': { scope: 'deploy' },
  // What is plain among the variables is still no matter of viewers.
  'GET /projects/{id}/variables': { scope: 'deploy' },
  'GET /projects/{id}/variables/{name}': { scope: 'deploy' },
  'PUT /projects/{id}/variables': { scope: 'admin' },
  'DELETE /projects/{id}/variables': { scope: 'admin' },
  'PUT /projects/{id}/variables/{name}': { scope: 'admin' },
  'DELETE /projects/{id}/variables/{name}': { scope: 'admin' },
  'GET /projects/{id}/domains': { scope: 'read' },
  'GET /projects/{id}/domains/{name}': { scope: 'read' },
  'PUT /projects/{id}/domains/{name}': { scope: 'admin' },
  'DELETE /projects/{id}/domains/{name}': { scope: 'admin' },
  'GET /projects/{id}/git': { scope: 'deploy' },
  'POST /projects/{id}/webhook': { scope: 'admin' },
  'PUT /projects/{id}/git-token': { scope: 'admin' },
  'DELETE /projects/{id}/git-token': { scope: 'admin' },
  'GET /projects/{id}/approvals': { scope: 'deploy' },
  'POST /projects/{id}/approvals': { scope: 'deploy' },
  'GET /projects/{id}/deploy-hooks': { scope: 'deploy' },
  'POST /projects/{id}/deploy-hooks': { scope: 'admin' },
  'DELETE /projects/{id}/deploy-hooks/{hook}': { scope: 'admin' },
  'GET /projects/{id}/notifications': { scope: 'deploy' },
  'POST /projects/{id}/notifications': { scope: 'admin' },
  'DELETE /projects/{id}/notifications/{notification}': { scope: 'admin' },
  'POST /projects/{id}/notifications/{notification}/test': { scope: 'admin' },
  'POST /github-app/start': { scope: 'admin', wholeOwner: true },
  'POST /github-app/finish': { scope: 'admin', wholeOwner: true },
  'GET /github-app': { scope: 'admin', wholeOwner: true },
  'DELETE /github-app': { scope: 'admin', wholeOwner: true },
  'GET /tokens': { scope: 'admin', wholeOwner: true },
  'POST /tokens': { scope: 'admin', wholeOwner: true },
  'DELETE /tokens/{id}': { scope: 'admin', wholeOwner: true },
  'GET /members': { scope: 'read', wholeOwner: true },
  'PUT /members/{name}': { scope: 'admin', wholeOwner: true },
  'DELETE /members/{name}': { scope: 'admin', wholeOwner: true },
  'GET /audit': { scope: 'admin', wholeOwner: true },
  'GET /queue': { scope: 'read' },
  'GET /usage': { scope: 'read', wholeOwner: true },
  'GET /whoami': { scope: 'read' },
};

/** `/projects/{id}` of OpenAPI and `/projects/:id` of Hono are the same, whatever the parameter is called. */
const normalisePath = (path: string) => path.replaceAll(/\{[^/]+\}|:[^/]+/g, '{}');
const keyOf = (method: string, path: string) => `${method.toUpperCase()} ${normalisePath(path)}`;
const byKey = new Map(
  Object.entries(ROUTES).map(([route, access]) => {
    const [method = '', path = ''] = route.split(' ');
    return [keyOf(method, path), access];
  }),
);

/** What is declared for a route; undefined where nothing is. */
export const declaredAccess = (method: string, path: string): Access | undefined => byKey.get(keyOf(method, path));

/** What a route needs. One that is not declared needs the most that it could. */
export function accessOf(method: string, path: string): Access {
  const declared = declaredAccess(method, path);
  if (declared) return declared;
  const ofProject = /^\/(projects|deployments)\/[^/]/.test(path);
  return { scope: method === 'GET' ? 'read' : 'admin', wholeOwner: !ofProject };
}
