import { join } from '../../../../contract/repo-fs.ts';
import { optionOf, type ParsedCommand, wordsOf } from './commandLine.ts';
import type { ProgramConfig } from './config/readProgram.ts';
import { isListValue, unwrapObject, valueAt } from './config/values.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { dependencyVersion, fileIn, type Project, projectConfig, readConfig, scriptOf } from './project.ts';
import { parseJsonc } from './sourceText.ts';

/** What the configuration of a framework says of its output. */
export interface Configured {
  /** Relative to the package; absent where only `root` or `unclear` is known. */
  readonly path?: string | undefined;
  /** The folder that options of the command line are relative to. */
  readonly root?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
  readonly unclear?: string | undefined;
}
type Setting = (project: Project, commands: readonly ParsedCommand[]) => Configured | undefined;

/** The output that a framework's configuration names; a project that Vite builds is asked for Vite's too. */
export function configuredOutput(
  project: Project,
  framework: FoundFramework,
  commands: readonly ParsedCommand[],
): Configured | undefined {
  const own = SETTINGS[framework.slug];
  if (own) return own(project, commands);
  return dependencyVersion(project, 'vite') === undefined ? undefined : viteOutput(project, commands);
}

/** One key of `<base>.config.*`. */
const keyOf =
  (base: string, ...path: string[]): Setting =>
  (project) => {
    const config = projectConfig(project, base);
    return config && fromConfig(config, path);
  };

function fromConfig(config: ProgramConfig, path: string[], root = '.'): Configured {
  const rule = path.join('.');
  const found = config.pathFrom(root, ...path);
  const unclear = found === undefined && config.isUnclear(...path) ? config.file : undefined;
  return { path: found, rule, file: config.file, unclear };
}

/** `build.outDir`, seen from `root`; the Cloudflare plugin splits it. Sources: https://vite.dev/config/build-options, https://developers.cloudflare.com/workers/vite-plugin/ */
function viteOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const vite = commands.filter(({ program }) => /^(?:vite|rolldown-vite|vite-ssg)$/.test(program));
  const named = vite.map((command) => optionOf(command, ['-c', '--config'])).find((value) => value !== undefined);
  const positional = vite.flatMap((command) => buildArgument(command) ?? [])[0];
  const at = positional === undefined ? project : { ...project, dir: join(project.dir, tidyArgument(positional)) };
  const file = named === undefined ? undefined : join(project.dir, tidyArgument(named));
  const config = file === undefined ? projectConfig(at, 'vite.config') : readConfig(project.repo, file);
  const start = positional === undefined ? '.' : tidyArgument(positional);
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
  return path === undefined ? undefined : tidyArgument(join(folder, path));
}

/** `web` of `vite build web`. */
function buildArgument(command: ParsedCommand): string | undefined {
  const words = wordsOf(command);
  const value = words[words.indexOf('build') + 1];
  const before = value === undefined ? undefined : command.args[command.args.indexOf(value) - 1];
  return value !== undefined && /^[\w@./-]{1,200}$/.test(value) && before === 'build' ? value : undefined;
}

const tidyArgument = (path: string) => {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/') || '.';
};

/** A documentation generator that is given a folder: `vitepress build docs`. */
function documentationSetting(base: string, output: string, fallback: string): Setting {
  return (project, commands) => {
    const argument = commands.flatMap((command) => buildArgument(command) ?? [])[0];
    const folders =
      argument === undefined ? [fallback, '.', 'docs', 'src', 'doc', 'website'] : [tidyArgument(argument)];
    const holdsPages = (folder: string) => project.repo.isDirectory(join(project.dir, join(folder, base)));
    const folder = argument === undefined && commands.length > 0 ? '.' : (folders.find(holdsPages) ?? folders[0]!);
    const config = projectConfig({ ...project, dir: join(project.dir, folder) }, `${base}/config`);
    const key = base === '.vitepress' ? 'outDir' : 'dest';
    // VitePress counts from the folder, VuePress from where it is run.
    const path = config?.pathFrom(base === '.vitepress' ? folder : '.', key);
    return { path: path ?? join(folder, output), rule: `default of ${base.slice(1)}`, file: config?.file };
  };
}

/** `output.path` of the exported configuration. Source: https://webpack.js.org/configuration/output/ */
const bundlerOutput =
  (base: string): Setting =>
  (project, commands) => {
    const named = commands.map((command) => optionOf(command, ['-c', '--config'])).find((value) => value !== undefined);
    const files = named === undefined ? [] : [join(project.dir, tidyArgument(named))];
    const config =
      files.flatMap((file) => readConfig(project.repo, file) ?? [])[0] ??
      ['', '.prod', '.production'].flatMap((part) => projectConfig(project, `${base}.config${part}`) ?? [])[0];
    if (!config) return undefined;
    const own = fromConfig(config, ['output', 'path']);
    if (own.path !== undefined || own.unclear !== undefined) return own;
    // The part that all modes share: https://webpack.js.org/guides/production/
    const folder = config.file.slice(0, Math.max(0, config.file.lastIndexOf('/'))) || '.';
    const shared = ['common', 'base', 'common.config', 'base.config'].flatMap(
      (part) => projectConfig({ ...project, dir: folder }, `${base}.${part}`) ?? [],
    )[0];
    return shared ? fromConfig(shared, ['output', 'path']) : own;
  };

function rsbuildOutput(project: Project): Configured | undefined {
  const config = projectConfig(project, 'rsbuild.config');
  if (!config) return undefined;
  for (const path of [
    ['environments', 'web', 'output', 'distPath'],
    ['output', 'distPath'],
  ]) {
    const plain = fromConfig(config, path);
    if (plain.path !== undefined) return plain;
    const root = fromConfig(config, [...path, 'root']);
    if (root.path !== undefined || root.unclear !== undefined) return root;
  }
  return undefined;
}

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
  const config = files.flatMap((file) => readConfig(project.repo, join(project.dir, tidyArgument(file))) ?? [])[0];
  const short = commands.map((command) => optionOf(command, ['--output'])).find((value) => value !== undefined);
  if (short !== undefined) return { path: short, rule: 'option of the build script' };
  if (!config) return undefined;
  const called = /\.setOutputDirectory\(\s{0,9}["'`]([\w@./-]{1,200})["'`]/.exec(
    project.repo.code(config.file) ?? '',
  )?.[1];
  if (called !== undefined) return { path: called, rule: 'setOutputDirectory', file: config.file };
  return fromConfig(config, ['dir', 'output']);
}

/** `targets.<name>.distDir` of package.json. Source: https://parceljs.org/features/targets/ */
function parcelOutput(project: Project): Configured | undefined {
  const { targets } = project.pkg.raw;
  if (typeof targets !== 'object' || targets === null) return undefined;
  for (const target of Object.values(targets as Record<string, unknown>)) {
    const distDir = (target as { distDir?: unknown } | null)?.distDir;
    if (typeof distDir === 'string')
      return { path: distDir, rule: 'targets of package.json', file: join(project.dir, 'package.json') };
  }
  return undefined;
}

/** `quasar build -m pwa` writes `dist/pwa`. Source: https://quasar.dev/quasar-cli-vite/build-commands */
function quasarOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const mode = commands.map((command) => optionOf(command, ['-m', '--mode'])).find((value) => value !== undefined);
  const config = projectConfig(project, 'quasar.config') ?? projectConfig(project, 'quasar.conf');
  const said = config && fromConfig(config, ['build', 'distDir']);
  if (said?.path !== undefined) return said;
  return mode !== undefined && /^[a-z]+$/.test(mode)
    ? { path: `dist/${mode}`, rule: 'mode of the build script', file: join(project.dir, 'package.json') }
    : undefined;
}

/** The variable BUILD_PATH, in the script or in `.env`. Source: https://create-react-app.dev/docs/advanced-configuration/ */
function createReactAppOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const inScript = commands.map(({ variables }) => variables.get('BUILD_PATH')).find((value) => value !== undefined);
  if (inScript !== undefined)
    return { path: inScript, rule: 'BUILD_PATH in the build script', file: join(project.dir, 'package.json') };
  for (const name of ['.env.production', '.env']) {
    const file = join(project.dir, name);
    const value = /^\s{0,9}BUILD_PATH\s{0,9}=\s{0,9}["']?([\w@./-]{1,200})/m.exec(project.repo.text(file) ?? '')?.[1];
    if (value !== undefined) return { path: value, rule: `BUILD_PATH in ${name}`, file };
  }
  return undefined;
}

/** The first web target's `dir`. Source: https://stenciljs.com/docs/www */
function stencilOutput(project: Project): Configured | undefined {
  const config = projectConfig(project, 'stencil.config');
  const targets = config?.value('outputTargets');
  if (!config || !isListValue(targets)) return undefined;
  const www = targets.items.find((item) => valueAt(unwrapObject(item), 'type') === 'www');
  const dir = valueAt(unwrapObject(www), 'dir');
  return typeof dir === 'string' ? { path: dir, rule: 'outputTargets', file: config.file } : undefined;
}

/** `public_dir` of Hexo's YAML. Source: https://hexo.io/docs/configuration */
function hexoOutput(project: Project): Configured | undefined {
  const file = join(project.dir, '_config.yml');
  const path = /^public_dir:[ \t]*["']?([\w@./-]{1,200})/m.exec(project.repo.text(file) ?? '')?.[1];
  return path === undefined ? undefined : { path, rule: 'public_dir', file };
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  vue: keyOf('vue.config', 'outputDir'),
  gridsome: keyOf('gridsome.config', 'outputDir'),
  rspress: keyOf('rspress.config', 'outDir'),
  dumi: keyOf('.dumirc', 'outputPath'),
  observable: keyOf('observablehq.config', 'output'),
  vitepress: documentationSetting('.vitepress', '.vitepress/dist', '.'),
  vuepress: documentationSetting('.vuepress', '.vuepress/dist', 'docs'),
  webpack: bundlerOutput('webpack'),
  rspack: bundlerOutput('rspack'),
  rsbuild: rsbuildOutput,
  eleventy: eleventyOutput,
  parcel: parcelOutput,
  quasar: quasarOutput,
  'create-react-app': createReactAppOutput,
  stencil: stencilOutput,
  hexo: hexoOutput,
  umijs: (project) =>
    ['.umirc', 'config/config'].flatMap((base) => {
      const config = projectConfig(project, base);
      return config ? [fromConfig(config, ['outputPath'])] : [];
    })[0],
};

/** Library mode makes no page. Source: https://vite.dev/guide/build#library-mode */
export function buildsLibrary(project: Project): boolean {
  const config = projectConfig(project, 'vite.config');
  const lib = config?.value('build', 'lib');
  return (
    lib !== undefined && lib !== false && lib !== null && !/--mode|BUILD|site|demo/.test(scriptOf(project, 'build'))
  );
}

/** `assets.directory` of wrangler's configuration: what a Worker serves as files. */
export function workerAssets(project: Project): { file: string; directory: string | undefined } | undefined {
  for (const name of ['wrangler.jsonc', 'wrangler.json']) {
    if (!fileIn(project, name)) continue;
    const file = join(project.dir, name);
    const config = parseJsonc(project.repo.text(file) ?? '') as { assets?: { directory?: unknown } } | undefined;
    const directory = config?.assets?.directory;
    return { file, directory: typeof directory === 'string' ? directory : undefined };
  }
  if (!fileIn(project, 'wrangler.toml')) return undefined;
  const file = join(project.dir, 'wrangler.toml');
  const directory = /^\s{0,9}directory\s{0,9}=\s{0,9}["']([^"']{1,200})["']/m.exec(project.repo.text(file) ?? '')?.[1];
  return { file, directory };
}
