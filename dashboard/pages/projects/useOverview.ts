import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeploymentView } from '../../../contract/api.ts';
import type { ProjectView } from '../../../contract/project.ts';
import { getDeployment, listDeployments } from '../../api/deployments.ts';
import { useLiveReload } from '../../live/useLive.ts';

const POLL_MS = 5_000;
/** Requests at once: many projects are not to use up what their owner may ask in a minute. */
const AT_ONCE = 4;

export interface Overview {
  /** The newest deployment of a project. */
  readonly newest: DeploymentView | undefined;
  /** What production serves. */
  readonly released: DeploymentView | undefined;
}

/** What is going on in each project. One list brings most of it; what is older is asked for one by one. */
export function useOverview(projects: readonly ProjectView[]): (projectId: string) => Overview {
  const [known, setKnown] = useState<ReadonlyMap<string, DeploymentView>>(new Map());
  const [round, setRound] = useState(0);
  const reload = useRef(() => setRound((n) => n + 1)).current;
  useLiveReload(
    projects.map(({ projectId }) => `project/${projectId}` as const),
    reload,
    projects.length > 0 ? POLL_MS : 0,
  );
  const names = projects.map(({ projectId, release }) => `${projectId} ${release?.deploymentId ?? ''}`).join('\n');

  useEffect(() => {
    if (projects.length === 0) return;
    const ending = new AbortController();
    const { signal } = ending;
    const add = (items: readonly DeploymentView[]) =>
      setKnown((before) => new Map([...before, ...items.map((item) => [item.deploymentId, item] as const)]));
    const fill = async () => {
      const { items } = await listDeployments({ limit: 100 }, signal);
      add(items);
      const ids = new Set(items.map(({ deploymentId }) => deploymentId));
      const withNews = new Set(items.map(({ projectId }) => projectId));
      const missing = projects.flatMap(({ projectId, release }) => [
        ...(release && !ids.has(release.deploymentId) && !known.has(release.deploymentId)
          ? [async () => add([await getDeployment(release.deploymentId, signal)])]
          : []),
        ...(withNews.has(projectId)
          ? []
          : [async () => add((await listDeployments({ projectId, limit: 1 }, signal)).items)]),
      ]);
      const work = async () => {
        for (let next = missing.shift(); next; next = missing.shift()) await next().catch(() => undefined);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    };
    // What could not be had is shown as unknown; the next change or poll asks again.
    fill().catch(() => undefined);
    return () => ending.abort();
  }, [names, round]);

  return (projectId) => {
    const release = projects.find((project) => project.projectId === projectId)?.release;
    const own = [...known.values()].filter((deployment) => deployment.projectId === projectId);
    return {
      newest: own.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0],
      released: release ? known.get(release.deploymentId) : undefined,
    };
  };
}
