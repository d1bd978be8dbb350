import { useRoute } from 'preact-iso/router';
import type { DeploymentView } from '../../../contract/api.ts';
import { isTerminal } from '../../../contract/statuses.ts';
import { getDeployment } from '../../api/deployments.ts';
import { paths } from '../../app/paths.ts';
import { LiveNote } from '../../live/LiveNote.tsx';
import { useLiveReload } from '../../live/useLive.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Status } from '../../ui/Status.tsx';
import { CommitOrUpload, nameOfDeployment } from '../../ui/source.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';
import { Actions } from './Actions.tsx';
import { Facts } from './Facts.tsx';
import { Failure } from './Failure.tsx';
import { Files } from './Files.tsx';
import { LogView } from './LogView.tsx';
import { PlanView } from './PlanView.tsx';
import { Results } from './Results.tsx';
import { Timeline } from './Timeline.tsx';

const POLL_MS = 2_500;
/** What has ended may still be released, or expire. */
const POLL_ENDED_MS = 6_000;

/** One deployment: what became of it, how long each step took, its log, and why it was built so. */
export function DeploymentPage() {
  const { deploymentId = '' } = useRoute().params;
  const deployment = useLoadable(`deployment/${deploymentId}`, (signal) => getDeployment(deploymentId, signal));
  const { value } = deployment;
  useLiveReload(
    value ? [`deployment/${deploymentId}`, `project/${value.projectId}`] : [],
    deployment.reload,
    value && isTerminal(value.status) ? POLL_ENDED_MS : POLL_MS,
  );
  useTitle(value ? `${STATES[value.status]}: ${value.projectId}` : 'Deployment');
  return (
    <Loaded of={deployment} what="the deployment">
      {(record) => (
        <div class="stack">
          <Head record={record} reload={deployment.reload} />
          <LiveNote />
          <Failure record={record} />
          <Results record={record} />
          <Timeline record={record} />
          <LogView key={deploymentId} record={record} onChange={deployment.reload} onEnd={deployment.reload} />
          <PlanView record={record} />
          <Files record={record} />
          <Facts record={record} />
        </div>
      )}
    </Loaded>
  );
}

const STATES = {
  ...{ queued: 'Queued', analyzing: 'Analyzing', building: 'Building' },
  ...{ succeeded: 'Ready', failed: 'Failed', canceled: 'Canceled' },
} as const;

function Head({ record, reload }: { readonly record: DeploymentView; readonly reload: () => void }) {
  return (
    <div class="page-head">
      <div>
        <nav class="crumbs" aria-label="Where you are">
          <a href={paths.projects}>Projects</a>
          <span aria-hidden="true">/</span>
          <a href={paths.project(record.projectId)}>{record.projectId}</a>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>
          {nameOfDeployment(record)}
          <CommitOrUpload of={record} class="commit" />
        </h1>
        <p class="badges">
          <Status of={record.status} />
          {record.environment && <span class="badge">{record.environment}</span>}
          {record.released && <span class="badge badge-live">Live in production</span>}
          {record.expired && <span class="badge">Files removed</span>}
        </p>
      </div>
      <Actions record={record} reload={reload} />
    </div>
  );
}
