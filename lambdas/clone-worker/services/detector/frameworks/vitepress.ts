import { join } from '../../../../../contract/repo-fs.ts';
import type { FrameworkRules } from '../framework.ts';
import { documentationOutput } from '../frameworkSettings.ts';

export const vitepress: FrameworkRules = {
  slug: 'vitepress',
  rows: [
    {
      name: 'VitePress',
      dependencies: ['vitepress'],
      buildCommand: 'vitepress build',
      outputDirectory: '.vitepress/dist',
    },
  ],
  // The library's row names a folder.
  buildCommand: 'vitepress build',
  configs: ['.vitepress/config'],
  output: documentationOutput({
    base: '.vitepress',
    key: 'outDir',
    output: '.vitepress/dist',
    usual: '.',
    countsFrom: 'folder',
  }),
  defaultBuild: ({ repo, dir }) =>
    repo.isDirectory(join(dir, '.vitepress'))
      ? undefined
      : { command: 'vitepress build docs', rule: 'the folder that VitePress documents' },
  documents: true,
};
