import type { FrameworkRules } from '../framework.ts';

export const farm: FrameworkRules = {
  slug: 'farm',
  rows: [
    {
      name: 'Farm',
      dependencies: ['@farmfe/core'],
      buildCommand: 'farm build',
      outputDirectory: 'dist',
      supersedes: ['vite'],
    },
  ],
};
