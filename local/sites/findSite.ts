import { ProjectIdSchema } from '../../contract/api.ts';
import { DEPLOYMENT_ID } from '../../contract/events.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import type { Sites } from '../../lambdas/shared/ports.ts';
import type { ProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { deploymentHost, previewRoute } from '../../lambdas/shared/sites/routes.ts';

export type FoundSite = {
  /** The host name is one that other servers on this machine have too. */
  readonly sharedHost: boolean;
} & (
  | { readonly kind: 'version'; readonly route: SiteRoute }
  /** Of a project of an earlier version, which has released nothing yet: its files are in `__outputs/`. */
  | { readonly kind: 'outputs'; readonly projectId: string }
);

/**
 * What a host name shows. Those that are neither below `localhost` nor in the table are refused, so that a foreign page
 * whose name resolves to this machine (DNS rebinding) cannot read sites that are published only here. A project's name
 * has no `--`, so its label cannot be confused with a preview's.
 */
export async function findSite(
  host: string | undefined,
  portsProject: string,
  { sites, projects }: { readonly sites: Sites; readonly projects: Pick<ProjectStore, 'get'> },
): Promise<FoundSite | null> {
  const name = (host ?? '127.0.0.1').replace(/:\d+$/, '').toLowerCase();
  const sharedHost = ['127.0.0.1', 'localhost', '[::1]'].includes(name);
  const [, below] = /^([^.]+)\.localhost$/.exec(name) ?? [];
  const label = sharedHost ? portsProject : (below ?? name);
  const route = await sites.find(label);
  if (route) return { kind: 'version', route, sharedHost };
  if (!sharedHost && below === undefined) return null;
  const project = ProjectIdSchema.safeParse(label).data;
  if (project !== undefined) return { kind: 'outputs', projectId: project, sharedHost };
  const [, deploymentId = '', ofProject] = /^([a-z0-9]+)--(.+)$/.exec(label) ?? [];
  const projectId = ProjectIdSchema.safeParse(ofProject).data;
  if (projectId === undefined || !DEPLOYMENT_ID.test(deploymentId)) return null;
  return { kind: 'version', route: await routeById({ sites, projects }, projectId, deploymentId), sharedHost };
}

/** `<deployment id>--<project>.localhost`, as an earlier version has given it. */
async function routeById(
  { sites, projects }: { readonly sites: Sites; readonly projects: Pick<ProjectStore, 'get'> },
  projectId: string,
  deploymentId: string,
): Promise<SiteRoute> {
  const project = await projects.get(projectId);
  if (!project) return { projectId, deploymentId, noindex: true };
  return (await sites.find(deploymentHost(project, deploymentId))) ?? previewRoute(project, { deploymentId });
}
