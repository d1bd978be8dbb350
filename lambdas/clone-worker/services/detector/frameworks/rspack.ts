import type { FrameworkRules } from '../framework.ts';
import { bundlerOutput } from './webpack.ts';

export const rspack: FrameworkRules = {
  slug: 'rspack',
  rows: [
    {
      name: 'Rspack',
      dependencies: ['@rspack/cli'],
      buildCommand: 'rspack build',
      outputDirectory: 'dist',
    },
  ],
  bundles: true,
  configs: ['rspack.config'],
  output: bundlerOutput('rspack'),
  programs: ['rspack-cli'],
  outputOptions: ['-o'],
};
