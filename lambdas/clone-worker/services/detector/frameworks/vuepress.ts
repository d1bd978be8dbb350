import type { FrameworkRules } from '../framework.ts';
import { documentationOutput } from '../frameworkSettings.ts';

export const vuepress: FrameworkRules = {
  slug: 'vuepress',
  configs: ['.vuepress/config'],
  output: documentationOutput({
    base: '.vuepress',
    key: 'dest',
    output: '.vuepress/dist',
    usual: 'docs',
    countsFrom: 'package',
  }),
  outputOptions: ['-d'],
  documents: true,
};
