import { join } from '../../../../../contract/repo-fs.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import type { Project } from '../project.ts';

/** `public_dir` of Hexo's YAML. Source: https://hexo.io/docs/configuration */
function hexoOutput(project: Project): Configured | undefined {
  const file = join(project.dir, '_config.yml');
  const path = /^public_dir:[ \t]*["']?([\w@./-]{1,200})/m.exec(project.repo.text(file) ?? '')?.[1];
  return path === undefined ? undefined : { path, rule: 'public_dir', file };
}

export const hexo: FrameworkRules = { slug: 'hexo', files: ['_config.yml'], output: hexoOutput };
