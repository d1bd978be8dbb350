import type { PackageManager } from '../../../../contract/plan.ts';
import { join } from '../../../shared/repo/repoFs.ts';
import type { Findings } from './findings.ts';
import { dependency, type Project, script } from './project.ts';

export interface Start {
  readonly command: string;
  readonly rule: string;
  readonly file: string;
  /** What is run in the end, for finding the port and whether a build comes first. */
  readonly line: string;
  /** Starts a program that was written for serving: not a guess from a file's name alone. */
  readonly certain: boolean;
}

/** Servers for developing, static file servers and task runners: a `start` of these serves no backend. */
const NOT_A_SERVER =
  /(?:^|[\s;&|/])(?:react-scripts|react-app-rewired|craco|vite(?:-node)?|ng|nx|turbo|lerna|vue-cli-service|parcel|webpack|webpack-dev-server|rsbuild|rspack|http-server|serve|live-server|lite-server|browser-sync|gatsby|astro|next|nuxt|nuxi|remix|expo|react-native|electron|electron-forge|storybook|start-storybook|docusaurus|eleventy|hexo|gulp|grunt|concurrently|npm-run-all|run-p|run-s|wsrun|tsc|rollup|ember|stencil|wmr|preact|snowpack|vitepress|vuepress|slidev|jest|vitest|echo)(?=$|[\s;&|])/;
const DEV_WATCHER =
  /(?:^|[\s;&|/])(?:nodemon|ts-node-dev|tsnd|node-dev|supervisor)(?=$|\s)|(?:^|\s)--watch(?=$|\s)|\btsx watch\b|\bnest start\b(?!.*--prod)/;
/** Goes into another folder, where another package is the one that starts. */
const ELSEWHERE =
  /(?:^|[;&|]\s*)cd\s|--prefix[\s=]|--workspace[\s=]|(?:^|\s)-w\s|--filter[\s=]|\byarn (?:workspace|--cwd)\b|\bpnpm (?:-C|--dir|-r)\b/;

const SCRIPTS = ['start', 'start:prod', 'serve', 'prod', 'production', 'server'] as const;
const BASES = ['index', 'server', 'app', 'main'];
const FOLDERS = ['.', 'src'];
const JS = ['js', 'cjs', 'mjs'];
const TS = ['ts', 'mts', 'cts'];

const isServerScript = (line: string): boolean => line !== '' && !NOT_A_SERVER.test(line) && !ELSEWHERE.test(line);

/**
 * What starts the server, in order: `web` of a Procfile, `start:prod` where `start` is for developing, `scripts.start`,
 * `main`, then `index|server|app|main` in the folder or in `src`. Sources: Heroku's and Railpack's documented orders.
 */
export function startOf(project: Project, manager: PackageManager['name']): Start | undefined {
  return fromProcfile(project) ?? fromScripts(project, manager) ?? fromFiles(project);
}

function fromProcfile(project: Project): Start | undefined {
  const file = join(project.dir, 'Procfile');
  const line = /^web:[ \t]*(\S[^\r\n]{0,1000})/m.exec(project.repo.text(file) ?? '')?.[1]?.trim();
  return line === undefined ? undefined : { command: line, line, rule: 'web process', file, certain: true };
}

function fromScripts(project: Project, manager: PackageManager['name']): Start | undefined {
  const usable = SCRIPTS.filter((name) => isServerScript(script(project, name)));
  const name = usable.find((n) => !DEV_WATCHER.test(script(project, n))) ?? usable[0];
  if (name === undefined) return undefined;
  return {
    command: runScript(manager, name),
    line: script(project, name),
    rule: `scripts.${name}`,
    file: join(project.dir, 'package.json'),
    certain: true,
  };
}

function fromFiles(project: Project): Start | undefined {
  const main = project.pkg.main?.replace(/^\.\//, '');
  if (
    main !== undefined &&
    isSourcePath(main) &&
    (project.repo.has(join(project.dir, main)) || /^(?:dist|build|lib|out)\//.test(main))
  )
    return {
      command: nodeCommand(project, main),
      line: `node ${main}`,
      rule: 'main',
      file: join(project.dir, 'package.json'),
      certain: false,
    };
  for (const folder of FOLDERS)
    for (const extension of [...JS, ...TS])
      for (const base of BASES) {
        const path = join(folder, `${base}.${extension}`);
        const file = join(project.dir, path);
        if (project.repo.has(file))
          return { command: nodeCommand(project, path), line: `node ${path}`, rule: 'file name', file, certain: false };
      }
  return undefined;
}

const isSourcePath = (path: string) => /^[\w@./-]{1,200}\.[cm]?[jt]s$/.test(path) && !path.split('/').includes('..');

/** TypeScript is run by tsx where the package has it, else by Node itself, which strips types from 22.18 on. */
function nodeCommand(project: Project, path: string): string {
  if (!/\.[cm]?ts$/.test(path)) return `node ${path}`;
  if (dependency(project, 'tsx') !== undefined) return `npx tsx ${path}`;
  if (dependency(project, 'ts-node') !== undefined) return `npx ts-node ${path}`;
  return `node ${path}`;
}

export function runScript(manager: PackageManager['name'], name: string): string {
  if (name === 'start') return manager === 'bun' ? 'bun run start' : `${manager} start`;
  return manager === 'yarn' ? `yarn ${name}` : `${manager} run ${name}`;
}

/** A package's own command by the package manager: `npx vite build`. */
export function runBinary(manager: PackageManager['name'], command: string): string {
  const runner = { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' }[manager];
  return `${runner} ${command.replace(/^npx /, '')}`;
}

/** A port that the start line fixes. Otherwise the platform's PORT is what the server is told to use. */
function portOf(line: string): number | undefined {
  const found = /(?:^|\s)(?:PORT=|--port[ =]|-p[ =]?)(\d{2,5})(?=$|\s)/.exec(line)?.[1];
  const port = Number(found);
  return found !== undefined && port >= 1 && port <= 65_535 ? port : undefined;
}

const DEFAULT_PORT = 3_000;

export function choosePort(line: string, findings: Findings): number {
  const fixed = portOf(line);
  if (fixed !== undefined) return findings.because('port', fixed, 'start command');
  return findings.because('port', DEFAULT_PORT, 'default; the server is told by the variable PORT');
}
