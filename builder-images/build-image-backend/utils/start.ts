import { VerenError } from '../../../contract/errors.ts';
import { type PackageManagerName, parsePackageManager } from '../../shared/package-manager.ts';

/** What of a service's package.json decides how it is started. */
export interface Scripts {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** The script that a package manager would run: what it tells its scripts of themselves follows from that. */
export interface Lifecycle {
  readonly manager: PackageManagerName;
  /** Name of the script: `npm_lifecycle_event`. */
  readonly event: string;
  readonly script: string;
}

export interface ImageStart {
  /** CMD of the image: what runs is the service itself, never a package manager that stands in front of it. */
  readonly argv: readonly [string, ...string[]];
  /** The command needs nothing that is a dev dependency, as far as can be told from it. */
  readonly prunable: boolean;
  /** The package manager is called all the same, so the image has to hold it. */
  readonly needsPackageManager: boolean;
  /** Null where the command is no script of package.json. */
  readonly lifecycle: Lifecycle | null;
}

/** A script that calls a script that calls … */
const MAX_DEPTH = 8;
const MANAGER = /^(npm|pnpm|yarn|bun)$/;
const SHELL_SYNTAX = /[$&|;<>()*?[\]{}~#!`\n\r\\]/;
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
/** Programs of the base image. */
const PLATFORM = new Set(['node', 'sh', 'bash', 'env', 'exec']);

/**
 * Turns a start command into the image's CMD. `npm start` and its like become the script that they would run, since a
 * package manager in front of the service costs memory and keeps signals from it. Throws START_COMMAND_MISSING.
 * @param manager PACKAGE_MANAGER of the build: versions differ in whether they run `pre` and `post` scripts.
 */
export function resolveStart(command: string, pkg: Scripts, manager = ''): ImageStart {
  const { line, commands, lifecycle } = resolveScript(command.trim(), { pkg, manager }, 0);
  if (line === '') throw new VerenError('START_COMMAND_MISSING', { reason: 'the start command is empty.' });
  const words = simpleWords(line);
  if (words === null)
    return {
      argv: ['/bin/sh', '-c', line],
      prunable: commands
        .flatMap((text) => text.split(/\s*(?:&&|\|\||;|\n)\s*/))
        .every((part) => isPrunable(part.split(/\s+/), pkg)),
      needsPackageManager: /(?:^|[\s;&|(])(?:pnpm|yarn|bun|bunx)(?=$|\s)/.test(line),
      lifecycle,
    };
  const argv = asProgram(words);
  const program = programOf(argv);
  return {
    argv,
    prunable: isPrunable(argv, pkg),
    needsPackageManager: /^(?:pnpm|yarn|bun|bunx)$/.test(program),
    lifecycle,
  };
}

interface Project {
  readonly pkg: Scripts;
  readonly manager: string;
}

interface Resolved {
  readonly line: string;
  /** What the line runs, without what was put around it. */
  readonly commands: readonly string[];
  readonly lifecycle: Lifecycle | null;
}

const asItIs = (line: string): Resolved => ({ line, commands: [line], lifecycle: null });
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** `npm run x -- args` → the text of script x with its `prex` and `postx`, and the arguments; everything else as it is. */
function resolveScript(line: string, project: Project, depth: number): Resolved {
  const { pkg } = project;
  const called = calledScript(line);
  if (called === null || depth === MAX_DEPTH) return asItIs(line);
  const { manager, name, args } = called;
  const script = Object.hasOwn(pkg.scripts, name) ? pkg.scripts[name] : undefined;
  if (script === undefined) {
    // `yarn tsx x.ts`, `bun server.ts`: a program or a file, not a script.
    if (!called.explicit && manager === 'yarn') return asItIs([name, ...args].join(' '));
    if (!called.explicit && (manager === 'bun' || manager === 'pnpm')) return asItIs(line);
    throw new VerenError('START_COMMAND_MISSING', { reason: `package.json has no script "${name}".` });
  }
  const text = [script.trim(), ...args].join(' ');
  const main = resolveScript(text, project, depth + 1);
  const hook = (event: string) => {
    const own = Object.hasOwn(pkg.scripts, event) ? pkg.scripts[event]?.trim() : undefined;
    if (!own || !runsHooks(manager, project.manager)) return null;
    const { line: inner, commands, lifecycle } = resolveScript(own, project, depth + 1);
    const names = { npm_lifecycle_event: lifecycle?.event ?? event, npm_lifecycle_script: lifecycle?.script ?? own };
    const given = Object.entries(names).map(([key, value]) => `${key}=${quote(value)}`);
    return { line: `(export ${given.join(' ')}\n${inner}\n)`, commands };
  };
  const [before, after] = [hook(`pre${name}`), hook(`post${name}`)];
  const alone = before === null && after === null;
  const inner = alone || simpleWords(main.line) !== null ? main.line : `{\n${main.line}\n}`;
  return {
    line: [before?.line, inner, after?.line].filter((part) => part !== undefined).join(' && '),
    commands: [...(before?.commands ?? []), ...main.commands, ...(after?.commands ?? [])],
    lifecycle: main.lifecycle ?? { manager, event: name, script: text },
  };
}

/**
 * Sources: npm and Yarn 1 always do; Yarn 2+ by its documentation does not for scripts of one's own; pnpm by its setting
 * `enable-pre-post-scripts`, which is on from version 9.
 */
function runsHooks(manager: PackageManagerName, spec: string): boolean {
  const want = parsePackageManager(spec);
  const major = want?.name === manager ? Number.parseInt(want.version, 10) : Number.NaN;
  if (manager === 'pnpm') return !(major < 9);
  return manager !== 'yarn' || !(major >= 2);
}

interface Called {
  readonly manager: PackageManagerName;
  readonly name: string;
  readonly args: readonly string[];
  /** By `run`, or a word that is a script always: not to be taken for a program. */
  readonly explicit: boolean;
}

/** The script that a plain call of a package manager names; null for everything else. */
function calledScript(line: string): Called | null {
  if (SHELL_SYNTAX.test(line)) return null;
  const [manager = '', ...rest] = line.split(/\s+/);
  if (!MANAGER.test(manager)) return null;
  const words = rest.filter((word, i) => !(i === 0 && QUIET.test(word)));
  const run = words[0] === 'run' || words[0] === 'run-script';
  const [name, ...tail] = run ? words.slice(1) : words;
  if (name === undefined || name.startsWith('-')) return null;
  if (!run && manager === 'npm' && name !== 'start') return null;
  if (!run && /^(?:exec|dlx|node|x|dev|install|workspaces?|bin)$/.test(name)) return null;
  if (manager !== 'npm') {
    const args = tail[0] === '--' ? tail.slice(1) : tail;
    return { manager: manager as PackageManagerName, name, args, explicit: run || name === 'start' };
  }
  // Options before `--` are npm's own: `npm start -w api` is another package's script.
  const end = tail.indexOf('--');
  const own = (end === -1 ? tail : tail.slice(0, end)).filter((word) => !QUIET.test(word));
  if (own.some((word) => word.startsWith('-'))) return null;
  const args = [...own, ...(end === -1 ? [] : tail.slice(end + 1))];
  return { manager, name, args, explicit: run || name === 'start' };
}

const QUIET = /^(?:-s|--silent|--quiet|--no-update-notifier)$/;

/** The words of a command that needs no shell; null where one is needed. Quotes are taken off. */
export function simpleWords(line: string): string[] | null {
  if (SHELL_SYNTAX.test(line.replace(/'[^']*'/g, ''))) return null;
  const words: string[] = [];
  const word = /(?:[^\s'"]+|'[^']*'|"[^"]*")+/g;
  let rest = line;
  for (const [text] of line.matchAll(word)) {
    words.push(text.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''));
    rest = rest.replace(text, '');
  }
  return rest.trim() === '' && words.length > 0 ? words : null;
}

/** Wrappers that would stand between init and the service are taken off. */
function asProgram(words: readonly string[]): [string, ...string[]] {
  let rest = [...words];
  if (rest[0] === 'exec') rest = rest.slice(1);
  if (rest[0] === 'cross-env' || rest[0] === 'env') rest = rest.slice(1);
  const assignments = rest.findIndex((word) => !ASSIGNMENT.test(word));
  const set = assignments === -1 ? rest : rest.slice(0, assignments);
  let program = assignments === -1 ? [] : rest.slice(assignments);
  const packageRunner =
    program[0] === 'npx' || program[0] === 'bunx'
      ? 1
      : (program[0] === 'pnpm' || program[0] === 'yarn' || program[0] === 'npm') && program[1] === 'exec'
        ? 2
        : program[0] === 'yarn' && program[1] === 'node'
          ? 1
          : 0;
  if (program[packageRunner] !== undefined && !program[packageRunner].startsWith('-'))
    program = program.slice(packageRunner);
  const argv = set.length > 0 ? ['env', ...set, ...program] : program;
  return argv as [string, ...string[]];
}

const programOf = (argv: readonly string[]) => argv.find((w) => w !== 'env' && !ASSIGNMENT.test(w)) ?? '';

/** Pruning is safe where the program is the image's own or a dependency's, and no word names a dev dependency. */
function isPrunable(words: readonly string[], pkg: Scripts): boolean {
  const program = programOf(words.filter((w) => w !== ''));
  const lastSegment = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  // Types are no programs: @types/node is not `node`.
  const dev = pkg.devDependencies.filter((name) => !name.startsWith('@types/') && !pkg.dependencies.includes(name));
  // `--import=tsx`, `-r ts-node/register`
  const named = words.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
  if (
    named.some((word) => dev.some((name) => word === name || word.startsWith(`${name}/`) || word === lastSegment(name)))
  )
    return false;
  return (
    PLATFORM.has(program) || /[./]/.test(program) || pkg.dependencies.some((name) => lastSegment(name) === program)
  );
}
