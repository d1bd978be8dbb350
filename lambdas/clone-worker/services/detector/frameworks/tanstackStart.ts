import { valueAt } from '../config/values.ts';
import type { FrameworkRow, FrameworkRules, Rendering } from '../framework.ts';
import { pluginOptions, serverRendering, staticRendering } from '../frameworkSettings.ts';
import { dependencyVersion, type Project, projectConfig } from '../project.ts';

/** https://tanstack.com/start/latest/docs/framework/react/guide/spa-mode */
function judgeTanstackStart(project: Project): Rendering {
  const vite = projectConfig(project, 'vite.config') ?? projectConfig(project, 'rsbuild.config');
  const modules = ['@tanstack/react-start/plugin/vite', '@tanstack/solid-start/plugin/vite', 'tanstackStart'];
  if (vite && valueAt(pluginOptions(vite, modules), 'spa', 'enabled') === true)
    return staticRendering('dist/client', 'spa: { enabled: true }', vite.file);
  const withNitro = ['nitro', 'nitropack', 'vinxi', '@tanstack/nitro-v2-vite-plugin'].some(
    (name) => dependencyVersion(project, name) !== undefined,
  );
  return serverRendering({
    start: withNitro ? 'node .output/server/index.mjs' : undefined,
    rule: 'TanStack Start renders on a server',
    file: vite?.file,
    remedy: `Set spa: { enabled: true } of the plugin in vite.config${withNitro ? '' : ', or add nitro to deploy it as a backend'}`,
  });
}

const rowOf = (dependency: string, buildCommand: string, supersedes: readonly string[]): FrameworkRow => ({
  name: 'TanStack Start',
  dependencies: [dependency],
  buildCommand,
  outputDirectory: 'dist',
  supersedes,
});

export const tanstackStart: FrameworkRules = {
  slug: 'tanstack-start',
  rows: [
    // Start brings the router's plugin along since 1.121.
    rowOf('@tanstack/react-start', 'vite build', ['vite', 'rsbuild', 'nitro', 'ionic-react']),
    rowOf('@tanstack/solid-start', 'vite build', ['vite', 'rsbuild', 'nitro', 'ionic-react']),
    rowOf('@tanstack/start', 'vinxi build', ['vite', 'nitro', 'ionic-react']),
  ],
  configs: ['vite.config', 'rsbuild.config'],
  rendering: judgeTanstackStart,
};

/** The same, as Lovable generates it. */
export const tanstackStartLovable: FrameworkRules = {
  slug: 'tanstack-start-lovable',
  configs: tanstackStart.configs!,
  rendering: judgeTanstackStart,
};
