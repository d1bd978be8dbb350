import { isListValue, unwrapObject, valueAt } from '../config/values.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import { type Project, projectConfig } from '../project.ts';

/** The first web target's `dir`. Source: https://stenciljs.com/docs/www */
function stencilOutput(project: Project): Configured | undefined {
  const config = projectConfig(project, 'stencil.config');
  const targets = config?.value('outputTargets');
  if (!config || !isListValue(targets)) return undefined;
  const www = targets.items.find((item) => valueAt(unwrapObject(item), 'type') === 'www');
  const dir = valueAt(unwrapObject(www), 'dir');
  return typeof dir === 'string' ? { path: dir, rule: 'outputTargets', file: config.file } : undefined;
}

export const stencil: FrameworkRules = {
  slug: 'stencil',
  bundles: true,
  configs: ['stencil.config'],
  output: stencilOutput,
};
