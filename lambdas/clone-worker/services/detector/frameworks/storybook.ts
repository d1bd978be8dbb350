import type { FrameworkRules } from '../framework.ts';

export const storybook: FrameworkRules = {
  slug: 'storybook',
  scripts: ['build-storybook', 'storybook:build'],
  programs: ['build-storybook', 'sb'],
  outputOptions: ['-o', '--output-dir'],
  showsParts: true,
  documents: true,
  strength: -20,
};
