import type { Clock } from '../shared/ports.ts';
import type { ProjectStore } from '../shared/projects/projectStore.ts';

/** A deployment changes its state several times within it. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 1_000;

/**
 * Whether a project is connected with its git host, read once for the states that follow one another. What changes
 * meanwhile counts for later deployments; the worker reads the settings anew. Where they cannot be read it is left to the
 * worker, since no deployment may wait for its report.
 */
export function rememberConnected(
  projects: Pick<ProjectStore, 'get'>,
  clock: Clock,
): (projectId: string) => Promise<boolean> {
  const known = new Map<string, { readonly until: number; readonly connected: boolean }>();
  return async (projectId) => {
    const now = clock.now();
    const found = known.get(projectId);
    if (found && found.until > now && found.until <= now + REMEMBERED_MS) return found.connected;
    const project = await projects.get(projectId).catch(() => 'unknown' as const);
    if (project === 'unknown') return true;
    const { connection } = project?.settings ?? {};
    // A repository that is only watched has no host to report to.
    const connected = connection !== undefined && connection.host !== 'git';
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(projectId, { until: now + REMEMBERED_MS, connected });
    return connected;
  };
}
