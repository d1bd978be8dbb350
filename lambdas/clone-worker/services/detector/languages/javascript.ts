import { join } from '../../../../../contract/repo-fs.ts';
import { findFramework } from '../frameworkTable.ts';
import type { Language, LanguageContext } from '../language.ts';
import { holdsEntry } from '../listedNames.ts';
import type { Project } from '../project.ts';
import { proposeServers } from './javascriptServers.ts';
import { proposeSites } from './javascriptSites.ts';
import { isNxApplication } from './nx.ts';

/** Everything with a package.json. */
export const javascript: Language = {
  name: 'javascript',
  propose(dir, context) {
    const pkg = context.repo.packageJson(dir);
    if (!pkg) return [];
    const project: Project = { repo: context.repo, dir, pkg };
    const framework = findFramework(context.repo, dir, pkg);
    if (isNxRoot(project, context)) return [];
    const found = proposeSites(project, framework, context);
    return [...found, ...proposeServers(project, framework, context, found.length > 0)];
  },
};

/** The root of an Nx workspace holds the dependencies of all applications, which are the candidates in its place. */
function isNxRoot({ repo, dir }: Project, { folders, wanted }: LanguageContext): boolean {
  if (!repo.has(join(dir, 'nx.json')) || Object.values(wanted).includes(dir)) return false;
  const isBelow = (folder: string) => folder !== dir && (dir === '.' || folder.startsWith(`${dir}/`));
  const ownConfig = holdsEntry(repo.fs, dir, (name) =>
    /^(?:next|nuxt|astro|svelte|remix|react-router|angular)\.(?:config\.\w+|json)$/.test(name),
  );
  return !ownConfig && folders.some((folder) => isBelow(folder) && isNxApplication(repo, folder));
}
