import { VerenError } from '../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import { join } from '../../../shared/repo/repoFs.ts';
import type { Findings } from './findings.ts';
import type { FoundFramework } from './frameworkTable.ts';
import { configFile, dependency, type Project, script } from './project.ts';
import type { StaticRendering } from './rendering.ts';
import { resolvePath } from './repoPath.ts';
import { stringSetting } from './sourceText.ts';

export interface Output {
  /** Relative to the package; may begin with `..`. */
  readonly path: string;
  readonly rule: string;
  readonly file?: string | undefined;
}

/** Where the build of a static framework writes: an option in the build script, the configuration, then the framework's default. */
export function outputOf(project: Project, framework: FoundFramework, rendering: StaticRendering): Output {
  const option = outDirOption(script(project, 'build'));
  if (option !== undefined)
    return { path: option, rule: 'option of the build script', file: join(project.dir, 'package.json') };
  if (rendering.output !== undefined) return { path: rendering.output, rule: rendering.rule, file: rendering.file };
  const vite = dependency(project, 'vite') !== undefined;
  const configured = SETTINGS[framework.slug]?.(project) ?? (vite ? viteOutput(project) : undefined);
  if (configured !== undefined) return configured;
  // Ionic's row means Create React App; newer Ionic apps are built by Vite.
  if (framework.slug === 'ionic-react' && vite) return { path: 'dist', rule: 'default of Vite' };
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

/** No framework is known: the folder that the build script names, else the one that holds the page. */
export function plainOutput(project: Project): Output {
  const named = /(?:^|[\s=./"'])(dist|build|out|_site|public|www)(?=$|[\s/"'])/.exec(
    script(project, 'build').replace(/\b(?:run|node)[ -]?\S*/g, ''),
  )?.[1];
  if (named !== undefined)
    return { path: named, rule: 'named in the build script', file: join(project.dir, 'package.json') };
  for (const folder of ['public', '.']) {
    const file = join(project.dir, join(folder, 'index.html'));
    if (project.repo.has(file)) return { path: folder, rule: 'holds index.html', file };
  }
  return { path: 'dist', rule: 'default' };
}

/** `./dist/` → `dist`, `a/../b` → `b`; what leads out of the package keeps its `..`. */
export function tidy(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/') || '.';
}

/** Output outside of the package (`../../dist/apps/web`): the plan moves up to the folder that holds both. */
export function liftedOutput(plan: TargetPlan, findings: Findings): TargetPlan {
  const output = plan.outputDirectory ?? '.';
  if (!output.startsWith('..')) return plan;
  const target = resolvePath(plan.path, output);
  if (target === undefined)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `the build of "${plan.path}" writes outside of the repository (${output}).`,
    });
  const root = target.startsWith(`${plan.installPath}/`) ? plan.installPath : '.';
  const below = (path: string) => (root === '.' ? path : path.slice(root.length + 1));
  findings.replace('path', root, `the output ${target} lies outside of ${plan.path}`);
  findings.replace('outputDirectory', below(target), 'seen from the folder that holds the output');
  const buildCommand = plan.buildCommand && `cd '${below(plan.path).replaceAll("'", "'\\''")}' && ${plan.buildCommand}`;
  findings.replace('buildCommand', buildCommand, 'in the package, seen from the folder that holds the output');
  return { ...plan, path: root, outputDirectory: below(target), buildCommand };
}
