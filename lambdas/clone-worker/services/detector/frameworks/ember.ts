import type { FrameworkRules } from '../framework.ts';

export const ember: FrameworkRules = {
  slug: 'ember',
  signFiles: ['ember-cli-build.js'],
  outputOptions: ['-o'],
};
