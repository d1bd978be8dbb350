import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { DeploymentList, DeploymentView } from '../../../contract/api.ts';
import { getDeployment, listDeployments } from '../../api/deployments.ts';
import { getProject } from '../../api/projects.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { paths } from '../../app/paths.ts';
import { LiveNote } from '../../live/LiveNote.tsx';
import { useLiveReload } from '../../live/useLive.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { Branches } from './Branches.tsx';
import { Costs } from './Costs.tsx';
import { DeploymentTable } from './DeploymentTable.tsx';
import { Production } from './Production.tsx';

const PAGE = 20;
const POLL_MS = 4_000;

/** What production of a project serves, its branches and its deployments. */
export function ProjectPage() {
  const { projectId = '' } = useRoute().params;
  const { may } = useSession();
  const [older, setOlder] = useState<DeploymentList | null>(null);
  const project = useLoadable(`project/${projectId}`, async (signal) => {
    const view = await getProject(projectId, signal);
    const released = view.release && (await getDeployment(view.release.deploymentId, signal).catch(() => null));
    return { view, released };
  });
  const newest = useLoadable(`deployments/${projectId}`, (signal) =>
    listDeployments({ projectId, limit: PAGE }, signal),
  );
  const reload = () => {
    project.reload();
    newest.reload();
  };
  useLiveReload([`project/${projectId}`], reload, POLL_MS);
  const more = useAction(async () => {
    const cursor = (older ?? newest.value)?.cursor;
    if (cursor === undefined) return;
    const next = await listDeployments({ projectId, limit: PAGE, cursor });
    setOlder({ ...next, items: [...(older?.items ?? []), ...next.items] });
  });

  return (
    <ProjectFrame
      projectId={projectId}
      tab="deployments"
      actions={
        may('deploy') && (
          <a class="button button-primary" href={`${paths.deploy}?project=${encodeURIComponent(projectId)}`}>
            Deploy
          </a>
        )
      }
    >
      <div class="stack">
        <LiveNote />
        <Loaded of={project} what="the project">
          {({ view, released }) => (
            <>
              {view.gitFault && (
                <Notice kind="warn" title="The git host and Veren do not get on">
                  <p>{view.gitFault.message}</p>
                </Notice>
              )}
              {view.deleting && (
                <Notice kind="warn" title="This project is being deleted">
                  <p>
                    {view.deleting.restorable ? 'Its settings take that back.' : 'That cannot be taken back any more.'}
                  </p>
                </Notice>
              )}
              <Production project={view} released={released} />
            </>
          )}
        </Loaded>
        <Costs projectId={projectId} />
        <Loaded of={newest} what="the deployments">
          {(page) => {
            const all = joinPages(page.items, older?.items ?? []);
            return all.length === 0 ? (
              <Empty title="No deployment yet" />
            ) : (
              <>
                <Branches deployments={all} />
                <section class="card" aria-labelledby="deployments">
                  <h2 id="deployments">Deployments</h2>
                  <DeploymentTable deployments={all} />
                  {(older ?? page).cursor !== undefined && (
                    <Button busy={more.busy} onClick={() => more.run()}>
                      Older deployments
                    </Button>
                  )}
                </section>
              </>
            );
          }}
        </Loaded>
      </div>
    </ProjectFrame>
  );
}

/** New deployments move older ones from the first page to the next, so some may be on both. */
function joinPages(first: readonly DeploymentView[], rest: readonly DeploymentView[]): DeploymentView[] {
  const known = new Set(first.map(({ deploymentId }) => deploymentId));
  return [...first, ...rest.filter(({ deploymentId }) => !known.has(deploymentId))];
}
