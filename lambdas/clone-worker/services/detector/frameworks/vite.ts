import { join } from '../../../../../contract/repo-fs.ts';
import { optionOf, type ParsedCommand } from '../commandLine.ts';
import type { ProgramConfig } from '../config/readProgram.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import { buildArgument, tidyPath } from '../frameworkSettings.ts';
import { type Project, projectConfig, readConfig } from '../project.ts';

/** `build.outDir`, seen from `root`; the Cloudflare plugin splits it. Sources: https://vite.dev/config/build-options, https://developers.cloudflare.com/workers/vite-plugin/ */
export function viteOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const vite = commands.filter(({ program }) => /^(?:vite|rolldown-vite|vite-ssg)$/.test(program));
  const named = vite.map((command) => optionOf(command, ['-c', '--config'])).find((value) => value !== undefined);
  const positional = vite.flatMap((command) => buildArgument(command) ?? [])[0];
  const at = positional === undefined ? project : { ...project, dir: join(project.dir, tidyPath(positional)) };
  const file = named === undefined ? undefined : join(project.dir, tidyPath(named));
  const config = file === undefined ? projectConfig(at, 'vite.config') : readConfig(project.repo, file);
  const start = positional === undefined ? '.' : tidyPath(positional);
  if (!config)
    return positional === undefined
      ? undefined
      : { path: join(start, 'dist'), root: start, rule: 'root of the build script' };
  // Paths in a configuration are relative to where the command is run, or for `__dirname` to the file's folder.
  const folder = file === undefined ? start : file.slice(0, Math.max(0, file.lastIndexOf('/'))) || '.';
  const root = rootOf(config, start, folder);
  const written = ['environments.client.build.outDir', 'build.outDir'].map((key) => key.split('.'));
  const key = written.find((path) => config.value(...path) !== undefined) ?? ['build', 'outDir'];
  const outDir = placedFolder(config, key, root, folder);
  const unclear = outDir === undefined && config.isUnclear(...key) ? config.file : undefined;
  const worker = config.plugin(['@cloudflare/vite-plugin']);
  const perEnvironment = key[0] === 'environments';
  const rule = worker ? 'the Cloudflare plugin writes the site to client' : 'build.outDir and root';
  if (outDir === undefined && root === '.' && !worker) return { root, rule, unclear };
  const base = outDir ?? join(root, 'dist');
  return { path: worker && !perEnvironment ? join(base, 'client') : base, root, rule, file: config.file, unclear };
}

function rootOf(config: ProgramConfig, start: string, folder: string): string {
  return placedFolder(config, ['root'], start, folder) ?? start;
}

/** A path of a configuration in `folder`, seen from the package; relative ones count from `base`. */
function placedFolder(config: ProgramConfig, key: string[], base: string, folder: string): string | undefined {
  const found = config.value(...key);
  if (typeof found !== 'string') return undefined;
  if (!found.startsWith('/')) return config.pathFrom(base, ...key);
  const path = config.path(...key);
  return path === undefined ? undefined : tidyPath(join(folder, path));
}

export const vite: FrameworkRules = {
  slug: 'vite',
  bundles: true,
  configs: ['vite.config'],
  output: viteOutput,
  programs: ['vite-ssg', 'vite-react-ssg', 'rolldown-vite'],
};
