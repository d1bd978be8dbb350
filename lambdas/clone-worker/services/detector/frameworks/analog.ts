import { valueAt } from '../config/values.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import { pluginOptions, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { type Project, projectConfig } from '../project.ts';
import { angular } from './angular.ts';

/** https://analogjs.org/docs/features/server/static-site-generation */
function judgeAnalog(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config');
  const options = pluginOptions(vite, ['@analogjs/platform', 'analog']);
  if (vite && (valueAt(options, 'ssr') === false || valueAt(options, 'static') === true))
    return staticRendering('dist/analog/public', 'static: true or ssr: false', vite.file);
  return serverRendering({
    start: 'node dist/analog/server/index.mjs',
    rule: 'Analog renders on a server',
    file: vite?.file,
    remedy: 'Set static: true of the Analog plugin in vite.config',
  });
}

export const analog: FrameworkRules = {
  slug: 'analog',
  rows: [
    {
      name: 'Analog',
      dependencies: ['@analogjs/platform'],
      buildCommand: 'vite build',
      outputDirectory: 'dist/analog/public',
      supersedes: ['vite', 'angular', 'nitro'],
    },
  ],
  configs: ['vite.config'],
  rendering: judgeAnalog,
  compiledFolders: angular.compiledFolders!,
};
