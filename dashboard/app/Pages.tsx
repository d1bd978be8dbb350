import type { FunctionComponent } from 'preact';
import lazy, { ErrorBoundary } from 'preact-iso/lazy';
import { Route, Router, useLocation } from 'preact-iso/router';
import { ProjectsPage } from '../pages/projects/ProjectsPage.tsx';
import { Button } from '../ui/Button.tsx';
import { Empty } from '../ui/Empty.tsx';
import { PageBoundary } from './PageBoundary.tsx';
import { paths } from './paths.ts';

/** A page that is fetched when it is opened. Its file is gone when the platform was started anew with other sources. */
const lazyPage = (load: () => Promise<FunctionComponent>) => lazy(() => load().catch(() => OutdatedPage));

// The list of projects comes with the first load; every other page is fetched when it is opened.
const DeployPage = lazyPage(() => import('../pages/deploy/DeployPage.tsx').then((m) => m.DeployPage));
const ReleasesPage = lazyPage(() => import('../pages/releases/ReleasesPage.tsx').then((m) => m.ReleasesPage));
const DeploymentPage = lazyPage(() => import('../pages/deployment/DeploymentPage.tsx').then((m) => m.DeploymentPage));
const ProjectPage = lazyPage(() => import('../pages/project/ProjectPage.tsx').then((m) => m.ProjectPage));

const VariablesPage = lazyPage(() => import('../pages/variables/VariablesPage.tsx').then((m) => m.VariablesPage));
const DomainsPage = lazyPage(() => import('../pages/domains/DomainsPage.tsx').then((m) => m.DomainsPage));
const GitPage = lazyPage(() => import('../pages/git/GitPage.tsx').then((m) => m.GitPage));
const SettingsPage = lazyPage(() => import('../pages/settings/SettingsPage.tsx').then((m) => m.SettingsPage));
const QueuePage = lazyPage(() => import('../pages/queue/QueuePage.tsx').then((m) => m.QueuePage));
const PeoplePage = lazyPage(() => import('../pages/people/PeoplePage.tsx').then((m) => m.PeoplePage));
const AuditPage = lazyPage(() => import('../pages/audit/AuditPage.tsx').then((m) => m.AuditPage));

export function Pages() {
  const { path } = useLocation();
  return (
    <PageBoundary path={path}>
      <ErrorBoundary>
        <Router onRouteChange={focusHeading}>
          <Route path={paths.base} component={ProjectsPage} />
          <Route path={`${paths.base}/projects/:projectId`} component={ProjectPage} />
          <Route path={`${paths.base}/deployments/:deploymentId`} component={DeploymentPage} />
          <Route path={`${paths.base}/projects/:projectId/releases`} component={ReleasesPage} />
          <Route path={paths.deploy} component={DeployPage} />
          <Route path={`${paths.base}/projects/:projectId/variables`} component={VariablesPage} />
          <Route path={`${paths.base}/projects/:projectId/domains`} component={DomainsPage} />
          <Route path={`${paths.base}/projects/:projectId/git`} component={GitPage} />
          <Route path={`${paths.base}/projects/:projectId/settings`} component={SettingsPage} />
          <Route path={paths.queue} component={QueuePage} />
          <Route path={paths.people} component={PeoplePage} />
          <Route path={paths.audit} component={AuditPage} />
          <Route default component={NoPage} />
        </Router>
      </ErrorBoundary>
    </PageBoundary>
  );
}

/** A screen reader is taken to the new page's beginning, as it would be by a page that the browser loads. */
function focusHeading(): void {
  document.getElementById('content')?.focus({ preventScroll: true });
}

function NoPage() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be mistyped, or the page is of another release. <a href={paths.projects}>All projects</a>
      </p>
    </Empty>
  );
}

const OutdatedPage = () => (
  <Empty title="This page could not be fetched">
    <p>The platform is away, or it is another release than the one that this tab was opened with.</p>
    <p>
      <Button kind="primary" onClick={() => location.reload()}>
        Load it again
      </Button>
    </p>
  </Empty>
);
