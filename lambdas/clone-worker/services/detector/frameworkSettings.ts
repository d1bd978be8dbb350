import { join } from '../../../../contract/repo-fs.ts';
import { type ParsedCommand, wordsOf } from './commandLine.ts';
import type { ProgramConfig } from './config/readProgram.ts';
import { unwrapObject, valueAt } from './config/values.ts';
import type { Configured, OutputSetting, ServerRendering, StaticRendering } from './framework.ts';
import { type Project, projectConfig } from './project.ts';

/** What the files of several frameworks need to read their settings. */

export const staticRendering = (output: string, rule: string, file?: string): StaticRendering => ({
  kind: 'static',
  output: output.replace(/^\.\//, '').replace(/\/+$/, ''),
  rule,
  file,
});
export const serverRendering = (row: Omit<ServerRendering, 'kind'>): ServerRendering => ({ kind: 'server', ...row });

/** The object that a plugin of a configuration is called with. */
export function pluginOptions(config: ProgramConfig | undefined, names: readonly string[]) {
  const call = config?.plugin(names);
  return call && unwrapObject(call.args[0]);
}

export function textAt(value: ReturnType<typeof unwrapObject>, key: string): string | undefined {
  const found = valueAt(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** One key of `<base>.*`. */
export const settingAt =
  (base: string, ...path: string[]): OutputSetting =>
  (project) => {
    const config = projectConfig(project, base);
    return config && configuredAt(config, path);
  };

/** What a configuration has at a path of keys. */
export function configuredAt(config: ProgramConfig, path: string[], root = '.'): Configured {
  const rule = path.join('.');
  const found = config.pathFrom(root, ...path);
  const unclear = found === undefined && config.isUnclear(...path) ? config.file : undefined;
  return { path: found, rule, file: config.file, unclear };
}

/** `web` of `vite build web`. */
export function buildArgument(command: ParsedCommand): string | undefined {
  const words = wordsOf(command);
  const value = words[words.indexOf('build') + 1];
  const before = value === undefined ? undefined : command.args[command.args.indexOf(value) - 1];
  return value !== undefined && /^[\w@./-]{1,200}$/.test(value) && before === 'build' ? value : undefined;
}

/** `./a/../b` → `b`. */
export function tidyPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/') || '.';
}

interface Documentation {
  /** Its folder of settings. */
  readonly base: string;
  /** The key that names the output. */
  readonly key: string;
  /** The output without that key, seen from the folder that is documented. */
  readonly output: string;
  /** The folder that is documented, where neither the command nor the tree says which. */
  readonly usual: string;
  /** What a path in the settings is relative to. */
  readonly countsFrom: 'folder' | 'package';
}

/** A documentation generator that is given a folder: `vitepress build docs`. */
export const documentationOutput =
  ({ base, key, output, usual, countsFrom }: Documentation): OutputSetting =>
  (project, commands) => {
    const argument = commands.flatMap((command) => buildArgument(command) ?? [])[0];
    const folders = argument === undefined ? [usual, '.', 'docs', 'src', 'doc', 'website'] : [tidyPath(argument)];
    const holdsPages = (folder: string) => project.repo.isDirectory(join(project.dir, join(folder, base)));
    const folder = argument === undefined && commands.length > 0 ? '.' : (folders.find(holdsPages) ?? folders[0]!);
    const config = projectConfig({ ...project, dir: join(project.dir, folder) }, `${base}/config`);
    const path = config?.pathFrom(countsFrom === 'folder' ? folder : '.', key);
    return { path: path ?? join(folder, output), rule: `default of ${base.slice(1)}`, file: config?.file };
  };

/** Another file of the package, by its name. */
export const fileOf = (project: Project, name: string): string => join(project.dir, name);
