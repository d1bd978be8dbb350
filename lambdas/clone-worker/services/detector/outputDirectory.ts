import { VerenError } from '../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import { join } from '../../../../contract/repo-fs.ts';
import { optionOf, type ParsedCommand, scriptCommands, wordsOf } from './commandLine.ts';
import type { Findings } from './findings.ts';
import type { StaticRendering } from './framework.ts';
import { rulesOf } from './frameworks/index.ts';
import { type FoundFramework, toolOf } from './frameworkTable.ts';
import { configuredOutput } from './outputSettings.ts';
import type { Project } from './project.ts';
import { resolvePath } from './repoPath.ts';

export interface Output {
  /** Relative to the package; may begin with `..`. */
  readonly path: string;
  readonly rule: string;
  readonly file?: string | undefined;
  /** A configuration that says where files go, in a way that cannot be known without running it. */
  readonly unclear?: string | undefined;
}

/** The commands of a framework's own tool in the build script, in order; those that build for a server are left out. */
export function ownCommands(project: Project, framework: FoundFramework, scriptName = 'build'): ParsedCommand[] {
  const tools = toolsOf(framework);
  return scriptCommands(project, scriptName).filter(
    (command) =>
      tools.includes(command.program) && !command.args.some((arg) => arg === '--ssr' || arg.startsWith('--ssr=')),
  );
}

const toolsOf = (framework: FoundFramework): string[] => {
  const { programs = [], calledAs = [] } = rulesOf(framework.slug);
  return [toolOf(framework), ...programs, ...calledAs];
};

/** Names under which tools take their output folder. Sources: each tool's own page of its command line. */
const OPTIONS = [
  '--outDir',
  '--out-dir',
  '--output-path',
  '--outputPath',
  '--dist-dir',
  '--dist-path',
  '--dest',
  '--output',
];
/** Where the build of a static framework writes: an option of its own command, the configuration, then the framework's default. */
export function outputOf(project: Project, framework: FoundFramework, rendering: StaticRendering): Output {
  const commands = ownCommands(project, framework, buildScriptOf(project, framework));
  const folder = commands[0]?.folder ?? '.';
  if (folder === '.') return outputIn(project, framework, rendering, commands);
  // `cd docs && vitepress build`: everything is seen from that folder.
  const inside = { ...project, dir: resolvePath(project.dir, folder) ?? project.dir };
  const output = outputIn(inside, framework, rendering, commands);
  return { ...output, path: join(folder, output.path) };
}

function outputIn(
  project: Project,
  framework: FoundFramework,
  rendering: StaticRendering,
  commands: readonly ParsedCommand[],
): Output {
  const named = [...OPTIONS, ...(rulesOf(framework.slug).outputOptions ?? [])];
  const configured = configuredOutput(project, framework, commands);
  const option = commands
    .map((command) => optionOf(command, named))
    .find((value) => value !== undefined && isFolder(value));
  if (option !== undefined)
    return {
      path: join(configured?.root ?? '.', option),
      rule: `option of ${commands[0]!.program} in the build script`,
      file: join(project.dir, 'package.json'),
    };
  if (rendering.output !== undefined) return { path: rendering.output, rule: rendering.rule, file: rendering.file };
  if (configured?.path !== undefined) return { ...configured, path: configured.path };
  const unclear = configured?.unclear;
  return { path: framework.outputDirectory ?? 'dist', rule: `default of ${framework.name}`, unclear };
}

const isFolder = (value: string) => /^[\w@./-]{1,200}$/.test(value) && !/\.(?:css|js|ts|json|html)$/.test(value);

/** Generators write code there, for the build that follows. */
const holdsSources = (folder: string) =>
  /^(?:\.\/)?(?:src|source|tests?|types|typings|node_modules)(?:\/|$)/.test(folder);

/** The script that builds the site: a documentation generator in a library has one of its own. */
export function buildScriptOf(project: Project, framework: FoundFramework | undefined): string {
  if (!framework || ownCommands(project, framework).length > 0) return 'build';
  const tools = toolsOf(framework);
  const { documents, scripts = [] } = rulesOf(framework.slug);
  const names = documents
    ? [
        'docs:build',
        'build:docs',
        'docs-build',
        'build-docs',
        'doc:build',
        'build:doc',
        'site:build',
        'build:site',
        'website:build',
        'docs',
      ]
    : [];
  const buildsSite = (name: string) =>
    scriptCommands(project, name).some(
      (command) =>
        tools.includes(command.program) && !wordsOf(command).some((word) => /^(?:dev|serve|start|preview)$/.test(word)),
    );
  return [...scripts, ...names].find(buildsSite) ?? 'build';
}

/** Words after these are names of tasks, not folders. */
const TASK_RUNNERS =
  /^(?:gulp|grunt|make|jake|npm|yarn|pnpm|bun|nx|turbo|lerna|just|task|run-s|run-p|npm-run-all|concurrently)$/;

/** No framework is known: the folder that the build script names, else `public` or the usual one. Never the package's own folder. */
export function plainOutput(project: Project): Output {
  const commands = scriptCommands(project, 'build').filter(({ program }) => !TASK_RUNNERS.test(program));
  const file = join(project.dir, 'package.json');
  const option = commands
    .map((c) => optionOf(c, OPTIONS))
    .findLast((value) => value !== undefined && isFolder(value) && !holdsSources(value));
  if (option !== undefined) return { path: option, rule: 'named in the build script', file };
  for (const word of commands.flatMap(folderWords)) {
    const named = /(?:^|[/=])(?:\.\/)?(dist|build|out|_site|public|www)(?=$|\/)/.exec(word)?.[1];
    // Alone, "build" is more often the name of a task than that of a folder.
    if (named !== undefined && word !== 'build' && !/\.(?:[cm]?[jt]s)$/.test(word))
      return { path: named, rule: 'named in the build script', file };
  }
  const page = join(project.dir, 'public/index.html');
  if (project.repo.has(page)) return { path: 'public', rule: 'holds index.html', file: page };
  const own = join(project.dir, 'index.html');
  if (project.repo.has(own) && commands.length > 0 && commands.every(writesBesidePage))
    return { path: '.', rule: 'the build writes beside index.html', file: own };
  return { path: 'dist', rule: 'default' };
}

/** Programs whose arguments are files and folders. */
const FILE_TOOLS =
  /^(?:rm|rimraf|mkdir|mkdirp|cp|cpx|cpy|ncp|copyfiles|mv|shx|del|del-cli|rsync|babel|swc|pug|postcss|sass|html-minifier|html-minifier-terser)$/;

/** Words of a command that may name a folder: not the script that an interpreter runs, nor a configuration. */
function folderWords({ program, args }: ParsedCommand): readonly string[] {
  if (FILE_TOOLS.test(program)) return args.map((word) => (word === 'build' ? './build' : word));
  const words = args.filter((_, i) => !/^(?:-c|--config|-p|--project|--tsconfig)$/.test(args[i - 1] ?? ''));
  if (!/^(?:node|deno|bun|tsx|ts-node|sh|bash|zsh|python\d?|php|ruby|perl)$/.test(program)) return words;
  const first = words.findIndex((word) => !word.startsWith('-') && word !== 'run');
  return words.filter((_, i) => i !== first);
}

/** Makes a single file, such as a style sheet, in the place where a page written by hand names it. */
const writesBesidePage = (command: ParsedCommand): boolean =>
  /^(?:tailwindcss|@tailwindcss\/cli|sass|postcss|lessc|stylus|esbuild|uglifyjs|terser|cleancss|tsc)$/.test(
    command.program,
  ) && optionOf(command, ['--outdir', '--out-dir', '--outDir', '--dir', '-d']) === undefined;

/** `./dist/` → `dist`, `a/../b` → `b`; what leads out of the package keeps its `..`. */
export function normalisePath(path: string): string {
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
  const pathBelow = (path: string) => (root === '.' ? path : path.slice(root.length + 1));
  findings.replace('path', root, `the output ${target} lies outside of ${plan.path}`);
  findings.replace('outputDirectory', pathBelow(target), 'seen from the folder that holds the output');
  const buildCommand =
    plan.buildCommand && `cd '${pathBelow(plan.path).replaceAll("'", "'\\''")}' && ${plan.buildCommand}`;
  findings.replace('buildCommand', buildCommand, 'in the package, seen from the folder that holds the output');
  return { ...plan, path: root, outputDirectory: pathBelow(target), buildCommand };
}
