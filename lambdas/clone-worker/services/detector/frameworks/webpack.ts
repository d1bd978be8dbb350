import { join } from '../../../../../contract/repo-fs.ts';
import { optionOf } from '../commandLine.ts';
import type { FrameworkRules, OutputSetting } from '../framework.ts';
import { configuredAt, tidyPath } from '../frameworkSettings.ts';
import { projectConfig, readConfig } from '../project.ts';

/** `output.path` of the exported configuration. Source: https://webpack.js.org/configuration/output/ */
export const bundlerOutput =
  (base: string): OutputSetting =>
  (project, commands) => {
    const named = commands.map((command) => optionOf(command, ['-c', '--config'])).find((value) => value !== undefined);
    const files = named === undefined ? [] : [join(project.dir, tidyPath(named))];
    const config =
      files.flatMap((file) => readConfig(project.repo, file) ?? [])[0] ??
      ['', '.prod', '.production'].flatMap((part) => projectConfig(project, `${base}.config${part}`) ?? [])[0];
    if (!config) return undefined;
    const own = configuredAt(config, ['output', 'path']);
    if (own.path !== undefined || own.unclear !== undefined) return own;
    // The part that all modes share: https://webpack.js.org/guides/production/
    const folder = config.file.slice(0, Math.max(0, config.file.lastIndexOf('/'))) || '.';
    const shared = ['common', 'base', 'common.config', 'base.config'].flatMap(
      (part) => projectConfig({ ...project, dir: folder }, `${base}.${part}`) ?? [],
    )[0];
    return shared ? configuredAt(shared, ['output', 'path']) : own;
  };

/** Parts that modes share, and those of one mode. Source: https://webpack.js.org/guides/production/ */
const PARTS = ['common', 'base', 'prod', 'production', 'client', 'web'];

export const webpack: FrameworkRules = {
  slug: 'webpack',
  rows: [
    {
      name: 'webpack',
      dependencies: ['webpack', 'webpack-cli'],
      buildCommand: 'webpack --mode production',
      outputDirectory: 'dist',
    },
  ],
  bundles: true,
  configs: ['webpack.config', ...PARTS.flatMap((part) => [`webpack.${part}`, `webpack.${part}.config`])],
  output: bundlerOutput('webpack'),
  programs: ['webpack-cli'],
  outputOptions: ['-o'],
};
