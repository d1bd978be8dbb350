import type { FrameworkRules } from '../framework.ts';

export const slidev: FrameworkRules = {
  slug: 'slidev',
  rows: [
    {
      name: 'Slidev',
      dependencies: ['@slidev/cli'],
      buildCommand: 'slidev build',
      outputDirectory: 'dist',
      supersedes: ['vite'],
    },
  ],
};
