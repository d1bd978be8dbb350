import { findFramework } from '../frameworkTable.ts';
import type { Language } from '../language.ts';
import type { Project } from '../project.ts';
import { servers } from './javascriptServers.ts';
import { sites } from './javascriptSites.ts';

/** Everything with a package.json. */
export const javascript: Language = {
  name: 'javascript',
  propose(dir, context) {
    const pkg = context.repo.packageJson(dir);
    if (!pkg) return [];
    const project: Project = { repo: context.repo, dir, pkg };
    const framework = findFramework(context.repo, dir, pkg);
    return [...sites(project, framework, context), ...servers(project, framework, context)];
  },
};
