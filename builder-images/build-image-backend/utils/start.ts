import { VerenError } from '../../../contract/errors.ts';

/** What of a service's package.json decides how it is started. */
export interface Scripts {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

export interface Start {
  /** CMD of the image: what runs is the service itself, never a package manager that stands in front of it. */
  readonly argv: readonly [string, ...string[]];
  /** The command needs nothing that is a dev dependency, as far as can be told from it. */
  readonly prunable: boolean;
  /** The package manager is called all the same, so the image has to hold it. */
  readonly needsPackageManager: boolean;
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
 */
export function resolveStart(command: string, pkg: Scripts): Start {
  const line = resolveScript(command.trim(), pkg, 0);
  if (line === '') throw new VerenError('START_COMMAND_MISSING', { reason: 'the start command is empty.' });
  const words = simpleWords(line);
  if (words === null)
    return {
      argv: ['/bin/sh', '-c', line],
      prunable: line.split(/\s*(?:&&|\|\||;|\n)\s*/).every((part) => isPrunable(part.split(/\s+/), pkg)),
      needsPackageManager: /(?:^|[\s;&|(])(?:pnpm|yarn|bun|bunx)(?=$|\s)/.test(line),
    };
  const argv = asProgram(words);
  const program = programOf(argv);
  return { argv, prunable: isPrunable(argv, pkg), needsPackageManager: /^(?:pnpm|yarn|bun|bunx)$/.test(program) };
}

/** `npm run x -- args` → the text of script x with its `prex`, and the arguments; everything else as it is. */
function resolveScript(line: string, pkg: Scripts, depth: number): string {
  const called = calledScript(line);
  if (called === null || depth === MAX_DEPTH) return line;
  const { manager, name, args } = called;
  const script = Object.hasOwn(pkg.scripts, name) ? pkg.scripts[name] : undefined;
  if (script === undefined) {
    // `yarn tsx x.ts`, `bun server.ts`: a program or a file, not a script.
    if (!called.explicit && manager === 'yarn') return [name, ...args].join(' ');
    if (!called.explicit && (manager === 'bun' || manager === 'pnpm')) return line;
    throw new VerenError('START_COMMAND_MISSING', { reason: `package.json has no script "${name}".` });
  }
  const main = resolveScript([script.trim(), ...args].join(' '), pkg, depth + 1);
  const before = Object.hasOwn(pkg.scripts, `pre${name}`) && manager !== 'pnpm' ? pkg.scripts[`pre${name}`] : undefined;
  return before ? `${resolveScript(before.trim(), pkg, depth + 1)} && ${main}` : main;
}

interface Called {
  readonly manager: string;
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
  const words = rest.filter((word, i) => !(i === 0 && /^(?:-s|--silent)$/.test(word)));
  const run = words[0] === 'run' || words[0] === 'run-script';
  const [name, ...tail] = run ? words.slice(1) : words;
  if (name === undefined || name.startsWith('-')) return null;
  if (!run && manager === 'npm' && name !== 'start') return null;
  if (!run && /^(?:exec|dlx|node|x|dev|install)$/.test(name)) return null;
  const args = tail[0] === '--' ? tail.slice(1) : tail;
  return { manager, name, args, explicit: run || name === 'start' };
}

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
  const last = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  // Types are no programs: @types/node is not `node`.
  const dev = pkg.devDependencies.filter((name) => !name.startsWith('@types/') && !pkg.dependencies.includes(name));
  // `--import=tsx`, `-r ts-node/register`
  const named = words.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
  if (named.some((word) => dev.some((name) => word === name || word.startsWith(`${name}/`) || word === last(name))))
    return false;
  return PLATFORM.has(program) || /[./]/.test(program) || pkg.dependencies.some((name) => last(name) === program);
}
