/** For a clone worker whose deployments belong to projects without settings. */
export const noProjects = {
  projects: { get: async () => null, getDeleted: async () => null, change: async () => null },
  builds: { find: async () => null },
  builders: '1',
};
