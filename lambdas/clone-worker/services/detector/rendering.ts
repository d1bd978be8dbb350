import { VerenError } from '../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import type { Rendering, ServerRendering } from './framework.ts';
import { rulesOf } from './frameworks/index.ts';
import type { FoundFramework } from './frameworkTable.ts';
import type { Project } from './project.ts';

/** Static files or a server. A framework without a rule gives static files. */
export const renderingOf = (project: Project, framework: FoundFramework): Rendering =>
  rulesOf(framework.slug).rendering?.(project) ?? { kind: 'static', rule: `${framework.name} builds static files` };

/** The refusal to publish as a static site what is none. */
export const needsServer = (framework: string, path: string, { remedy, start }: ServerRendering): VerenError =>
  new VerenError('NEEDS_SERVER', {
    framework,
    path,
    remedy: `${remedy}${start === undefined ? '' : ', or deploy it as a backend'}.`,
  });

/** The part of a site's plan that is its framework's alone: which of its caches are kept between builds. */
export function keptFolders(framework: FoundFramework | undefined): Pick<TargetPlan, 'compiledFolders'> {
  const folders = framework && rulesOf(framework.slug).compiledFolders;
  return folders ? { compiledFolders: [...folders] } : {};
}
