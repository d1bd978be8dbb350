/** Where the dashboard is: the API has the paths beside it. */
const BASE = '/dashboard';
const below = (...parts: string[]) => [BASE, ...parts.map(encodeURIComponent)].join('/');

/** The address of every page. `App.tsx` has the same as patterns. */
export const paths = {
  base: BASE,
  projects: `${BASE}/`,
  deploy: below('deploy'),
  project: (projectId: string) => below('projects', projectId),
  releases: (projectId: string) => below('projects', projectId, 'releases'),
  variables: (projectId: string) => below('projects', projectId, 'variables'),
  domains: (projectId: string) => below('projects', projectId, 'domains'),
  git: (projectId: string) => below('projects', projectId, 'git'),
  settings: (projectId: string) => below('projects', projectId, 'settings'),
  deployment: (deploymentId: string) => below('deployments', deploymentId),
  queue: below('queue'),
  people: below('people'),
  audit: below('audit'),
};
