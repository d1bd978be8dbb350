import { listProjects } from '../../api/projects.ts';
import { paths } from '../../app/paths.ts';
import { Loaded } from '../../ui/Loaded.tsx';
import { Table } from '../../ui/Table.tsx';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';

/** Every project of the owner. */
export function ProjectsPage() {
  useTitle('Projects');
  const projects = useLoadable('projects', (signal) => listProjects({ limit: 100 }, signal));
  return (
    <>
      <h1>Projects</h1>
      <Loaded of={projects} what="the projects">
        {({ items }) => (
          <Table
            caption="Projects"
            keyOf={({ projectId }) => projectId}
            rows={items}
            columns={[
              { title: 'Project', cell: ({ projectId }) => <a href={paths.project(projectId)}>{projectId}</a> },
              { title: 'Repository', cell: ({ settings }) => settings.gitUrl ?? '–' },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
