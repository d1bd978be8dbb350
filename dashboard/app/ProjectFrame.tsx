import type { ComponentChildren } from 'preact';
import { NavigationLink } from '../ui/NavigationLink.tsx';
import { useTitle } from '../ui/useTitle.ts';
import { paths } from './paths.ts';

/** The pages of a project, in the order in which its navigation has them. */
const TABS = [
  { tab: 'deployments', title: 'Deployments', href: paths.project },
  { tab: 'releases', title: 'Releases', href: paths.releases },
  { tab: 'variables', title: 'Variables', href: paths.variables },
  { tab: 'domains', title: 'Domains', href: paths.domains },
  { tab: 'git', title: 'Git', href: paths.git },
  { tab: 'settings', title: 'Settings', href: paths.settings },
] as const;

interface ProjectFrameProps {
  readonly projectId: string;
  readonly tab: (typeof TABS)[number]['tab'];
  /** Beside the name, e.g. a button. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** What is around every page of a project: its name, and the way to its other pages. */
export function ProjectFrame({ projectId, tab, actions, children }: ProjectFrameProps) {
  useTitle(`${TABS.find((known) => known.tab === tab)?.title} of ${projectId}`);
  return (
    <>
      <div class="page-head">
        <div>
          <nav class="crumbs" aria-label="Where you are">
            <a href={paths.projects}>Projects</a>
            <span aria-hidden="true">/</span>
          </nav>
          <h1>{projectId}</h1>
        </div>
        {actions && <div class="actions">{actions}</div>}
      </div>
      <nav class="tabs" aria-label={`Project ${projectId}`}>
        {TABS.map((known) => (
          <NavigationLink key={known.tab} href={known.href(projectId)} current={known.tab === tab}>
            {known.title}
          </NavigationLink>
        ))}
      </nav>
      {children}
    </>
  );
}
