import type { FrameworkRules } from '../framework.ts';
import { settingAt } from '../frameworkSettings.ts';

export const vue: FrameworkRules = {
  slug: 'vue',
  configs: ['vue.config'],
  output: settingAt('vue.config', 'outputDir'),
};
