import type { FrameworkRules } from '../framework.ts';
import { settingAt } from '../frameworkSettings.ts';

export const rspress: FrameworkRules = {
  slug: 'rspress',
  rows: [
    {
      name: 'Rspress',
      dependencies: ['rspress'],
      buildCommand: 'rspress build',
      outputDirectory: 'doc_build',
      supersedes: ['rsbuild', 'vite'],
    },
    {
      name: 'Rspress',
      dependencies: ['@rspress/core'],
      buildCommand: 'rspress build',
      outputDirectory: 'doc_build',
      supersedes: ['rsbuild', 'vite'],
    },
  ],
  configs: ['rspress.config'],
  output: settingAt('rspress.config', 'outDir'),
  documents: true,
};
