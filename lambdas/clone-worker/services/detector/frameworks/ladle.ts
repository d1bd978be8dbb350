import type { FrameworkRules } from '../framework.ts';

export const ladle: FrameworkRules = {
  slug: 'ladle',
  rows: [
    {
      name: 'Ladle',
      dependencies: ['@ladle/react'],
      buildCommand: 'ladle build',
      outputDirectory: 'build',
    },
  ],
  showsParts: true,
};
