import { useState } from 'preact/hooks';
import type { ProjectView } from '../../../contract/project.ts';
import { listProjects } from '../../api/projects.ts';
import { paths } from '../../app/paths.ts';
import { LiveNote } from '../../live/LiveNote.tsx';
import { useSession } from '../../session/SessionContext.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loaded } from '../../ui/Loaded.tsx';
import { useAction } from '../../ui/useAction.ts';
import { useLoadable } from '../../ui/useLoadable.ts';
import { useTitle } from '../../ui/useTitle.ts';
import { ProjectCard } from './ProjectCard.tsx';
import { useOverview } from './useOverview.ts';

/** Enough for most owners; the rest comes by a button. */
const PAGE = 48;
/** From so many on, a field to find one by its name. */
const MANY = 9;

/** Every project: how its newest deployment stands, and what production serves. */
export function ProjectsPage() {
  useTitle('Projects');
  const { may } = useSession();
  const projects = useLoadable('projects', (signal) => listProjects({ limit: PAGE }, signal));
  const [wanted, setWanted] = useState('');
  const overviewOf = useOverview(projects.value?.items ?? []);
  const more = useAction(async () => {
    const { value } = projects;
    if (value?.cursor === undefined) return;
    const next = await listProjects({ limit: PAGE, cursor: value.cursor });
    projects.replace({ ...next, items: [...value.items, ...next.items] });
  });

  return (
    <>
      <div class="page-head">
        <h1>Projects</h1>
        {may('deploy') && (
          <a class="button button-primary" href={paths.deploy}>
            Deploy
          </a>
        )}
      </div>
      <LiveNote />
      <Loaded of={projects} what="the projects">
        {({ items, cursor }) =>
          items.length === 0 ? (
            <NoProjects mayDeploy={may('deploy')} />
          ) : (
            <>
              {items.length >= MANY && (
                <input
                  type="search"
                  class="project-search"
                  aria-label="Find a project by its name"
                  placeholder="Find a project"
                  value={wanted}
                  onInput={(event) => setWanted(event.currentTarget.value)}
                />
              )}
              <ul class="project-grid">
                {items.filter(isWanted(wanted)).map((project) => (
                  <li key={project.projectId}>
                    <ProjectCard project={project} overview={overviewOf(project.projectId)} />
                  </li>
                ))}
              </ul>
              {cursor !== undefined && (
                <Button busy={more.busy} onClick={() => more.run()}>
                  More projects
                </Button>
              )}
            </>
          )
        }
      </Loaded>
    </>
  );
}

const isWanted =
  (text: string) =>
  ({ projectId }: ProjectView): boolean =>
    projectId.includes(text.trim().toLowerCase());

const NoProjects = ({ mayDeploy }: { readonly mayDeploy: boolean }) => (
  <Empty title="No project yet">
    <p>The first deployment of a repository makes one.</p>
    {mayDeploy && (
      <p class="actions">
        <a class="button button-primary" href={paths.deploy}>
          Deploy a repository
        </a>
      </p>
    )}
  </Empty>
);
