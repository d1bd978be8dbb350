import type { FrameworkRules } from '../framework.ts';
import { settingAt } from '../frameworkSettings.ts';

export const dumi: FrameworkRules = {
  slug: 'dumi',
  rows: [
    {
      name: 'dumi',
      dependencies: ['dumi'],
      buildCommand: 'dumi build',
      outputDirectory: 'dist',
      supersedes: ['umijs', 'vite'],
    },
  ],
  configs: ['.dumirc'],
  output: settingAt('.dumirc', 'outputPath'),
  documents: true,
};
