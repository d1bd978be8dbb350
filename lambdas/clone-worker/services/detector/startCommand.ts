import type { PackageManager } from '../../../../contract/plan.ts';
import { join, upward } from '../../../../contract/repo-fs.ts';
import { expandedCommands } from './commandLine.ts';
import { holdsOtherLanguage } from './otherLanguages.ts';
import { PROCFILE, readWebProcess } from './procfile.ts';
import { dependencyVersion, fileIn, type Project, scriptOf } from './project.ts';
import { judgeStart } from './startJudgement.ts';

export interface StartCommand {
  readonly command: string;
  readonly rule: string;
  readonly file: string;
  /** What is run in the end, for finding the port and whether a build comes first. */
  readonly line: string;
  /** Starts a program that was written for serving: not a guess from a file's name alone. */
  readonly certain: boolean;
  /** Watches files and starts again at every change: a developer's way to start. */
  readonly watches?: boolean;
}

const SCRIPTS = ['start', 'start:prod', 'serve', 'prod', 'production', 'server'] as const;
const BASES = ['index', 'server', 'app', 'main'];
const FOLDERS = ['.', 'src'];
const JS = ['js', 'cjs', 'mjs'];
const TS = ['ts', 'mts', 'cts'];

/**
 * What starts the server, in order: `web` of a Procfile, `start:prod` where `start` is for developing, `scripts.start`,
 * `main`, then `index|server|app|main` in the folder or in `src`. Sources: Heroku's and Railpack's documented orders, npm's documentation of `npm start`.
 */
export function startOf(project: Project, manager: PackageManager['name']): StartCommand | undefined {
  return fromProcfile(project) ?? fromScripts(project, manager) ?? fromAdonis(project) ?? fromFiles(project, manager);
}

/** Process `web` of a Procfile, where a program of this runtime is what it runs. */
export function fromProcfile(project: Project): StartCommand | undefined {
  const line = readWebProcess(project.repo, project.dir);
  if (line === undefined || judgeStart(project, line) === 'foreign') return undefined;
  if (holdsOtherLanguage(project.repo, project.dir) && !runsHere(project, line)) return undefined;
  return { command: line, line, rule: 'web process', file: join(project.dir, PROCFILE), certain: true };
}

/** Whether the last program of a line is one of Node's: beside another language's project, `bin/web` may be anything. */
function runsHere(project: Project, line: string): boolean {
  const last = expandedCommands(project, line).at(-1);
  return (
    last !== undefined &&
    (/^(?:node|npm|npx|pnpm|yarn|bun|bunx|tsx|ts-node|pm2|pm2-runtime|next|nuxt|nest|strapi|medusa|directus|react-router-serve|remix-serve)$/.test(
      last.program,
    ) ||
      dependencyVersion(project, last.program) !== undefined)
  );
}

function fromScripts(project: Project, manager: PackageManager['name']): StartCommand | undefined {
  const judged = SCRIPTS.map((name) => ({ name, line: scriptOf(project, name) }))
    .filter(({ line }) => line !== '')
    .map((row) => ({ ...row, kind: judgeStart(project, row.line) }));
  const found = judged.find(({ kind }) => kind === 'server') ?? judged.find(({ kind }) => kind === 'watcher');
  if (found === undefined) return undefined;
  const compiled = adonisServer(project, found.line);
  return {
    command: compiled ?? runScript(manager, found.name),
    line: compiled ?? found.line,
    rule: `scripts.${found.name}`,
    file: join(project.dir, 'package.json'),
    certain: true,
    ...(found.kind === 'watcher' ? { watches: true } : {}),
  };
}

/** AdonisJS is started out of its build folder. Source: https://docs.adonisjs.com/guides/getting-started/deployment */
function adonisServer(project: Project, line: string): string | undefined {
  if (dependencyVersion(project, '@adonisjs/core') === undefined) return undefined;
  const server = /(?:^|\s)node\s{1,9}(?:--?[\w=:./-]{1,80}\s{1,9}){0,5}(?:\.\/)?((?:bin\/)?server)\.js$/.exec(
    line.trim(),
  )?.[1];
  if (server === undefined || fileIn(project, `${server}.js`) || !fileIn(project, `${server}.ts`)) return undefined;
  const ace = fileIn(project, 'ace.js') ? 'ace.js' : 'ace';
  return line
    .trim()
    .replace(/(?:\.\/)?(?:bin\/)?server\.js$/, `build/${server}.js`)
    .replace(/(^|\s)node\s{1,9}ace(?:\.js)?(?=\s)/g, `$1node build/${ace}`);
}

/** AdonisJS without a start script: what its documentation names. */
function fromAdonis(project: Project): StartCommand | undefined {
  const command = ['bin/server.js', 'server.js']
    .map((file) => adonisServer(project, `node ${file}`))
    .find((line) => line !== undefined);
  return command === undefined
    ? undefined
    : {
        command,
        line: command,
        rule: 'where AdonisJS builds its server',
        file: join(project.dir, 'package.json'),
        certain: true,
      };
}

function fromFiles(project: Project, manager: PackageManager['name']): StartCommand | undefined {
  const main = project.pkg.main?.replace(/^\.\//, '');
  if (
    main !== undefined &&
    isSourcePath(main) &&
    (project.repo.has(join(project.dir, main)) || /^(?:dist|build|lib|out)\//.test(main))
  )
    return {
      command: nodeCommand(project, main, manager),
      line: `node ${main}`,
      rule: 'main',
      file: join(project.dir, 'package.json'),
      // As below: npm writes it there where a server.js is.
      certain: main === 'server.js' && scriptOf(project, 'start') === '',
    };
  for (const folder of FOLDERS)
    for (const extension of [...JS, ...TS, ...(usesBun(project) ? ['tsx'] : [])])
      for (const base of BASES) {
        const path = join(folder, `${base}.${extension}`);
        const file = join(project.dir, path);
        if (project.repo.has(file))
          return {
            command: nodeCommand(project, path, manager),
            line: `node ${path}`,
            rule: 'file name',
            file,
            // What `npm start` runs without a script. Source: https://docs.npmjs.com/cli/commands/npm-start
            certain: path === 'server.js' && scriptOf(project, 'start') === '',
          };
      }
  return undefined;
}

export const usesBun = ({ repo, dir }: Project): boolean =>
  [...upward(dir)].some(
    (at) =>
      repo.has(join(at, 'bun.lock')) ||
      repo.has(join(at, 'bun.lockb')) ||
      repo.packageJson(at)?.packageManager?.startsWith('bun@') === true,
  );

const isSourcePath = (path: string) => /^[\w@./-]{1,200}\.[cm]?[jt]s$/.test(path) && !path.split('/').includes('..');

/** Bun runs both languages; TypeScript is run by tsx where the package has it, else by Node itself, which strips types from 22.18 on. */
function nodeCommand(project: Project, path: string, manager: PackageManager['name']): string {
  if (manager === 'bun') return `bun ${path}`;
  if (!/\.[cm]?ts$/.test(path)) return `node ${path}`;
  if (dependencyVersion(project, 'tsx') !== undefined) return `npx tsx ${path}`;
  if (dependencyVersion(project, 'ts-node') !== undefined) return `npx ts-node ${path}`;
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
