import type { FrameworkRules } from '../framework.ts';
import { configuredAt } from '../frameworkSettings.ts';
import { projectConfig } from '../project.ts';

const CONFIGS = ['.umirc', 'config/config'];

export const umijs: FrameworkRules = {
  slug: 'umijs',
  rows: [
    {
      name: 'Umi',
      dependencies: ['@umijs/max'],
      buildCommand: 'max build',
      outputDirectory: 'dist',
    },
  ],
  configs: CONFIGS,
  output: (project) =>
    CONFIGS.flatMap((base) => {
      const config = projectConfig(project, base);
      return config ? [configuredAt(config, ['outputPath'])] : [];
    })[0],
  programs: ['max', 'umi-build'],
  calledAs: ['umi'],
  compiledFolders: ['bundler-webpack', 'mfsu'].map((name) => `node_modules/.cache/${name}`),
};
