import { unused } from './unused.ts';

/** For a clone worker whose deployments belong to projects without settings, and come from git hosts. */
export const noProjects = {
  projects: { get: async () => null, getDeleted: async () => null, change: async () => null },
  builds: { find: async () => null },
  builders: '1',
  openUploadPack: unused,
};
