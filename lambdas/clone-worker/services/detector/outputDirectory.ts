import { join } from '../../../shared/repo/repoFs.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { configFile, dependency, type Project, script } from './project.ts';
import { stringSetting } from './sourceText.ts';

export interface Output {
  /** Relative to the package; may begin with `..`. */
  readonly path: string;
  readonly rule: string;
  readonly file?: string | undefined;
}

const BUILT_BY_VITE: ReadonlySet<string> = new Set(['vite', 'ionic-react', 'vue', 'quasar']);

/** Where the build of a static framework writes: an option in the build script, the configuration, then the framework's default. */
export function outputOf(project: Project, framework: FoundFramework, fromRendering: string | undefined): Output {
  const packageFile = join(project.dir, 'package.json');
  const option = outDirOption(script(project, 'build'));
  if (option !== undefined) return { path: option, rule: 'option of the build script', file: packageFile };
  if (fromRendering !== undefined) return { path: fromRendering, rule: `${framework.name}'s configuration` };
  const configured =
    SETTINGS[framework.slug]?.(project) ??
    (BUILT_BY_VITE.has(framework.slug) || dependency(project, 'vite') !== undefined ? viteOutput(project) : undefined);
  if (configured !== undefined) return configured;
  if (framework.slug === 'ionic-react' && dependency(project, 'vite') !== undefined)
    return { path: 'dist', rule: 'default of Vite' };
  return { path: framework.outputDirectory ?? 'dist', rule: `default of ${framework.name}` };
}

/** `--outDir x`, `--output-path=x`, `-d x` and the like. */
export function outDirOption(command: string): string | undefined {
  return /(?:^|\s)(?:--out-?[dD]ir|--output-?[pP]ath|--dist-?[dD]ir|--dest|--output)[ =]["']?([\w@./-]{1,200})/.exec(
    command,
  )?.[1];
}

/** `build.outDir`, seen from `root`. Source: https://vite.dev/config/build-options */
function viteOutput(project: Project): Output | undefined {
  const config = configFile(project, 'vite.config');
  if (!config) return undefined;
  const root = stringSetting(config.code, 'root')?.replace(/^\.?\//, '');
  const outDir = stringSetting(config.code, 'outDir');
  if (root === undefined && outDir === undefined) return undefined;
  return { path: join(root || '.', outDir ?? 'dist'), rule: 'build.outDir and root', file: config.file };
}

const setting =
  (base: string, key: string): ((project: Project) => Output | undefined) =>
  (project) => {
    const config = configFile(project, base);
    const path = config && stringSetting(config.code, key);
    return config && path ? { path, rule: key, file: config.file } : undefined;
  };

const SETTINGS: Readonly<Record<string, (project: Project) => Output | undefined>> = {
  vue: setting('vue.config', 'outputDir'),
  gridsome: setting('gridsome.config', 'outputDir'),
  vitepress(project) {
    // `vitepress build docs` writes below that folder.
    const folder = /\bvitepress build\s+([\w@./-]{1,200})/.exec(script(project, 'build'))?.[1] ?? '.';
    const at = { ...project, dir: join(project.dir, folder.replace(/^\.\//, '').replace(/\/$/, '')) };
    const config = configFile(at, '.vitepress/config');
    const path = config && stringSetting(config.code, 'outDir');
    return {
      path: join(folder.replace(/\/$/, ''), path ?? '.vitepress/dist'),
      rule: 'default of VitePress',
      file: config?.file,
    };
  },
  webpack: webpackOutput,
  rsbuild(project) {
    const config = configFile(project, 'rsbuild.config');
    const path = /distPath\s{0,9}:\s{0,9}\{\s{0,99}root\s{0,9}:\s{0,9}["'`]([\w@./-]{1,200})/.exec(
      config?.code ?? '',
    )?.[1];
    return config && path ? { path, rule: 'output.distPath', file: config.file } : undefined;
  },
};

/** `path: path.resolve(__dirname, 'public')`. Source: https://webpack.js.org/configuration/output/ */
function webpackOutput(project: Project): Output | undefined {
  const config = configFile(project, 'webpack.config');
  const path =
    /path\.(?:resolve|join)\(\s{0,9}(?:__dirname|process\.cwd\(\)|import\.meta\.dirname)\s{0,9},\s{0,9}["'`]([\w@./-]{1,200})["'`]\s{0,9}\)/.exec(
      config?.code ?? '',
    )?.[1];
  return config && path ? { path: path.replace(/^\.?\//, ''), rule: 'output.path', file: config.file } : undefined;
}
