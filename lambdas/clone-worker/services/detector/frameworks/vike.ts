import { valueAt } from '../config/values.ts';
import type { FrameworkRules, Rendering } from '../framework.ts';
import { pluginOptions, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { type Project, projectConfig } from '../project.ts';

const SHARED = ['+config', 'pages/+config', 'renderer/+config'];

/** https://vike.dev/prerender */
function judgeVike(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config');
  const own = pluginOptions(vite, ['vike/plugin', 'vike', 'vite-plugin-ssr/plugin']);
  const shared = SHARED.flatMap((base) => projectConfig(project, base) ?? [])[0];
  const prerender = valueAt(own, 'prerender') ?? shared?.value('prerender');
  if (vite && prerender !== undefined && prerender !== false && prerender !== null)
    return staticRendering('dist/client', 'prerender', vite.file);
  return serverRendering({
    rule: 'Vike renders on a server',
    file: vite?.file,
    remedy: 'Set prerender: true for Vike in vite.config, or add a start script to deploy it as a backend',
  });
}

export const vike: FrameworkRules = {
  slug: 'vike',
  rows: [
    {
      name: 'Vike',
      dependencies: ['vike'],
      buildCommand: 'vite build',
      outputDirectory: 'dist/client',
      supersedes: ['vite'],
    },
  ],
  configs: ['vite.config', ...SHARED],
  rendering: judgeVike,
};
