import type { FrameworkRules } from '../framework.ts';
import { settingAt } from '../frameworkSettings.ts';

export const observable: FrameworkRules = {
  slug: 'observable',
  rows: [
    {
      name: 'Observable Framework',
      dependencies: ['@observablehq/framework'],
      buildCommand: 'observable build',
      outputDirectory: 'dist',
    },
  ],
  configs: ['observablehq.config'],
  output: settingAt('observablehq.config', 'output'),
};
