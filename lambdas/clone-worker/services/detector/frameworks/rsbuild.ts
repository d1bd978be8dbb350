import type { Configured, FrameworkRules } from '../framework.ts';
import { configuredAt } from '../frameworkSettings.ts';
import { type Project, projectConfig } from '../project.ts';

function rsbuildOutput(project: Project): Configured | undefined {
  const config = projectConfig(project, 'rsbuild.config');
  if (!config) return undefined;
  for (const path of [
    ['environments', 'web', 'output', 'distPath'],
    ['output', 'distPath'],
  ]) {
    const plain = configuredAt(config, path);
    if (plain.path !== undefined) return plain;
    const root = configuredAt(config, [...path, 'root']);
    if (root.path !== undefined || root.unclear !== undefined) return root;
  }
  return undefined;
}

export const rsbuild: FrameworkRules = {
  slug: 'rsbuild',
  rows: [
    {
      name: 'Rsbuild',
      dependencies: ['@rsbuild/core'],
      buildCommand: 'rsbuild build',
      outputDirectory: 'dist',
    },
  ],
  configs: ['rsbuild.config'],
  output: rsbuildOutput,
  // It makes the page itself. Source: https://rsbuild.rs/config/source/entry
  entries: [
    'rsbuild.config.ts',
    'rsbuild.config.js',
    'rsbuild.config.mjs',
    'src/index.ts',
    'src/index.js',
    'src/index.tsx',
    'src/index.jsx',
  ],
};
