import type { FrameworkRules } from '../framework.ts';

export const histoire: FrameworkRules = {
  slug: 'histoire',
  rows: [
    {
      name: 'Histoire',
      dependencies: ['histoire'],
      buildCommand: 'histoire build',
      outputDirectory: '.histoire/dist',
    },
  ],
  showsParts: true,
};
