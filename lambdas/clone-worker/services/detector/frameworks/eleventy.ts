import { join } from '../../../../../contract/repo-fs.ts';
import { optionOf, type ParsedCommand } from '../commandLine.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import { configuredAt, tidyPath } from '../frameworkSettings.ts';
import { type Project, readConfig } from '../project.ts';

/** `dir.output` of what the configuration returns or exports. Source: https://www.11ty.dev/docs/config/#output-directory */
function eleventyOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const named = commands.map((command) => optionOf(command, ['--config'])).find((value) => value !== undefined);
  const files = [
    ...(named ? [named] : []),
    '.eleventy.js',
    'eleventy.config.js',
    'eleventy.config.mjs',
    'eleventy.config.cjs',
    'eleventy.config.ts',
  ];
  const config = files.flatMap((file) => readConfig(project.repo, join(project.dir, tidyPath(file))) ?? [])[0];
  const short = commands.map((command) => optionOf(command, ['--output'])).find((value) => value !== undefined);
  if (short !== undefined) return { path: short, rule: 'option of the build script' };
  if (!config) return undefined;
  const called = /\.setOutputDirectory\(\s{0,9}["'`]([\w@./-]{1,200})["'`]/.exec(
    project.repo.code(config.file) ?? '',
  )?.[1];
  if (called !== undefined) return { path: called, rule: 'setOutputDirectory', file: config.file };
  return configuredAt(config, ['dir', 'output']);
}

export const eleventy: FrameworkRules = {
  slug: 'eleventy',
  configs: ['eleventy.config'],
  files: ['.eleventy.js'],
  output: eleventyOutput,
  programs: ['eleventy'],
};
