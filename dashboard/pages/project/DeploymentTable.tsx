import type { DeploymentView } from '../../../contract/api.ts';
import { isTerminal } from '../../../contract/statuses.ts';
import { paths } from '../../app/paths.ts';
import { formatDuration, shortId } from '../../ui/formats.ts';
import { RedeployNote } from '../../ui/RedeployNote.tsx';
import { Status } from '../../ui/Status.tsx';
import { CommitOrUpload, nameOfDeployment } from '../../ui/source.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

/** Deployments, newest first. */
export function DeploymentTable({ deployments }: { readonly deployments: readonly DeploymentView[] }) {
  return (
    <Table
      caption="Deployments, newest first"
      keyOf={({ deploymentId }) => deploymentId}
      rows={deployments}
      columns={[
        {
          title: 'Deployment',
          cell: (d) => (
            <span>
              <a href={paths.deployment(d.deploymentId)}>
                {nameOfDeployment(d)} <CommitOrUpload of={d} />
              </a>{' '}
              <code class="soft small short-id" title={d.deploymentId}>
                {shortId(d.deploymentId)}
              </code>
              <RedeployNote record={d} />
            </span>
          ),
        },
        {
          title: 'State',
          cell: (d) => (
            <span class="badges">
              <Status of={d.status} />
              {d.released && <span class="badge badge-live">Live</span>}
            </span>
          ),
        },
        { title: 'Environment', cell: (d) => d.environment ?? '–' },
        { title: 'Begun', cell: (d) => <Time at={d.createdAt} /> },
        {
          title: 'Took',
          align: 'end',
          cell: (d) =>
            isTerminal(d.status) && d.finishedAt
              ? formatDuration(Date.parse(d.finishedAt) - Date.parse(d.createdAt))
              : '–',
        },
      ]}
    />
  );
}
