import { join } from '../../../../../contract/repo-fs.ts';
import { optionOf, type ParsedCommand } from '../commandLine.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import { configuredAt } from '../frameworkSettings.ts';
import { type Project, projectConfig } from '../project.ts';

/** `quasar build -m pwa` writes `dist/pwa`. Source: https://quasar.dev/quasar-cli-vite/build-commands */
function quasarOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const mode = commands.map((command) => optionOf(command, ['-m', '--mode'])).find((value) => value !== undefined);
  const config = projectConfig(project, 'quasar.config') ?? projectConfig(project, 'quasar.conf');
  const said = config && configuredAt(config, ['build', 'distDir']);
  if (said?.path !== undefined) return said;
  return mode !== undefined && /^[a-z]+$/.test(mode)
    ? { path: `dist/${mode}`, rule: 'mode of the build script', file: join(project.dir, 'package.json') }
    : undefined;
}

export const quasar: FrameworkRules = {
  slug: 'quasar',
  rows: [
    {
      name: 'Quasar',
      dependencies: ['@quasar/app-vite'],
      buildCommand: 'quasar build',
      outputDirectory: 'dist/spa',
      supersedes: ['vite'],
    },
    {
      name: 'Quasar',
      dependencies: ['@quasar/app-webpack'],
      buildCommand: 'quasar build',
      outputDirectory: 'dist/spa',
      supersedes: ['webpack'],
    },
    {
      name: 'Quasar',
      dependencies: ['@quasar/app'],
      buildCommand: 'quasar build',
      outputDirectory: 'dist/spa',
      supersedes: ['webpack'],
    },
  ],
  configs: ['quasar.config'],
  files: ['quasar.conf.js'],
  output: quasarOutput,
};
