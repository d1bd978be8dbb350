import { useRoute } from 'preact-iso/router';
import { listDeployments } from '../../api/deployments.ts';
import { ProjectFrame } from '../../app/ProjectFrame.tsx';
import { paths } from '../../app/paths.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Status } from '../../ui/Status.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';

/** The deployments of a project. */
export function ProjectPage() {
  const { projectId = '' } = useRoute().params;
  const deployments = useLoadable(`deployments/${projectId}`, (signal) => listDeployments({ projectId }, signal));
  return (
    <ProjectFrame projectId={projectId} tab="deployments">
      <Loaded of={deployments} what="the deployments">
        {({ items }) => (
          <Table
            caption="Deployments"
            keyOf={({ deploymentId }) => deploymentId}
            rows={items}
            columns={[
              { title: 'Deployment', cell: (d) => <a href={paths.deployment(d.deploymentId)}>{d.deploymentId}</a> },
              { title: 'State', cell: (d) => <Status of={d.status} /> },
              { title: 'Begun', cell: (d) => <Time at={d.createdAt} /> },
            ]}
          />
        )}
      </Loaded>
    </ProjectFrame>
  );
}
