import { useRoute } from 'preact-iso/router';
import type { DeploymentView } from '../../../contract/api.ts';
import type { Release } from '../../../contract/project.ts';
import type { ReleaseHistory } from '../../../contract/releases.ts';
import { listDeployments } from '../../api/deployments.ts';
import { getReleases, pinProject, rollback } from '../../api/projects.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { paths } from '../../app/paths.ts';
import { LiveNote } from '../../live/LiveNote.tsx';
import { useLiveReload } from '../../live/useLive.ts';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { askConfirmation } from '../../ui/confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { CommitOrUpload, nameOfDeployment } from '../../ui/source.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';

const POLL_MS = 5_000;
const KINDS = { automatic: 'by itself', promote: 'promoted', rollback: 'rolled back' } as const;

/** What production serves and has served, and the way back. */
export function ReleasesPage() {
  const { projectId = '' } = useRoute().params;
  const { may } = useSession();
  const history = useLoadable(`releases/${projectId}`, (signal) => getReleases(projectId, signal));
  const deployments = useLoadable(`deployments/${projectId}`, (signal) =>
    listDeployments({ projectId, limit: 100 }, signal),
  );
  const recordOf = (id: string) => deployments.value?.items.find(({ deploymentId }) => deploymentId === id);
  const reload = () => {
    history.reload();
    deployments.reload();
  };
  useLiveReload([`project/${projectId}`], reload, POLL_MS);
  const pinned = history.value?.pinned ?? null;

  const goBack = useAction(async (to?: Release) => {
    const sure = await askConfirmation({
      title: 'Roll production back?',
      text: to
        ? `Production of ${projectId} serves deployment ${to.deploymentId} again. Nothing is built.`
        : `Production of ${projectId} serves again what it served before this release. Nothing is built.`,
      action: 'Roll back',
    });
    if (!sure) return false;
    history.replace(await rollback(projectId, to ? { deploymentId: to.deploymentId } : {}));
  }, 'Production is rolled back.');
  const pin = useAction(async () => history.replace(await pinProject(projectId, pinned === null)));

  return (
    <ProjectFrame
      projectId={projectId}
      tab="releases"
      actions={
        may('deploy') &&
        history.value?.release && (
          <>
            <Button busy={pin.busy} onClick={() => pin.run()}>
              {pinned ? 'Unpin' : 'Pin this release'}
            </Button>
            <Button
              kind="primary"
              busy={goBack.busy}
              disabled={history.value.releases.length < 2}
              onClick={() => goBack.run()}
            >
              Roll back
            </Button>
          </>
        )
      }
    >
      <div class="stack">
        <LiveNote />
        <Loaded of={history} what="the releases">
          {(known) =>
            known.releases.length === 0 ? (
              <Empty title="Production serves nothing yet">
                <p>The first successful deployment of the production branch is released by itself.</p>
              </Empty>
            ) : (
              <Known history={known} known={recordOf} mayRelease={may('deploy')} onGoBack={goBack.run} />
            )
          }
        </Loaded>
      </div>
    </ProjectFrame>
  );
}

interface ReleasedLinkProps {
  readonly deploymentId: string;
  readonly record: DeploymentView | undefined;
}

function ReleasedLink({ deploymentId, record }: ReleasedLinkProps) {
  return (
    <a href={paths.deployment(deploymentId)}>
      {record && (
        <>
          {nameOfDeployment(record)} <CommitOrUpload of={record} />{' '}
        </>
      )}
      <code class={record && 'small'}>{deploymentId}</code>
    </a>
  );
}

interface KnownProps {
  readonly history: ReleaseHistory;
  /** Newer deployments, by their ids. */
  readonly known: (deploymentId: string) => DeploymentView | undefined;
  readonly mayRelease: boolean;
  readonly onGoBack: (to: Release) => void;
}

function Known({ history: { release, releases, pinned, nextRelease, note }, known, mayRelease, onGoBack }: KnownProps) {
  return (
    <>
      {pinned && (
        <Notice kind="info" title="Pinned">
          <p>
            {pinned.by} pinned it <Time at={pinned.at} />: successful deployments are not released by themselves.
          </p>
        </Notice>
      )}
      {note && (
        <Notice kind="warn">
          <p>{note}</p>
        </Notice>
      )}
      {nextRelease?.error && (
        <Notice kind="bad" title="The last release was not made">
          <p>{nextRelease.error.message}</p>
        </Notice>
      )}
      {nextRelease && !nextRelease.error && (
        <Notice kind="info" title="A release is being made">
          <p>Its backend is being started; production stays as it is until it answers.</p>
        </Notice>
      )}
      <div class="card">
        <Table
          caption="Releases, newest first"
          keyOf={({ releaseId }) => releaseId}
          rows={releases}
          columns={[
            {
              title: 'Deployment',
              cell: ({ deploymentId, releaseId }) => (
                <span class="badges">
                  <ReleasedLink deploymentId={deploymentId} record={known(deploymentId)} />
                  {releaseId === release?.releaseId && <span class="badge badge-live">Live</span>}
                </span>
              ),
            },
            { title: 'Since', cell: ({ at }) => <Time at={at} /> },
            { title: 'How', cell: ({ kind, by }) => (kind === 'automatic' ? KINDS[kind] : `${KINDS[kind]} by ${by}`) },
            { title: 'Reason', cell: ({ reason }) => reason ?? '–' },
            {
              title: 'Change',
              hideTitle: true,
              align: 'end',
              cell: (row) =>
                mayRelease &&
                row.deploymentId !== release?.deploymentId && (
                  <Button label={`Release again: ${row.deploymentId}`} onClick={() => onGoBack(row)}>
                    Release again
                  </Button>
                ),
            },
          ]}
        />
      </div>
    </>
  );
}
