import type { FrameworkRules } from '../framework.ts';

export const honkit: FrameworkRules = {
  slug: 'honkit',
  rows: [
    {
      name: 'HonKit',
      dependencies: ['honkit'],
      buildCommand: 'honkit build',
      outputDirectory: '_book',
    },
  ],
  documents: true,
};
