import type { FrameworkRules } from '../framework.ts';
import { settingAt } from '../frameworkSettings.ts';

export const gridsome: FrameworkRules = {
  slug: 'gridsome',
  configs: ['gridsome.config'],
  output: settingAt('gridsome.config', 'outputDir'),
};
