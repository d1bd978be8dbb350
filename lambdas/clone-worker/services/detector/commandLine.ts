import { type Project, scriptOf } from './project.ts';
import { resolvePath } from './repoPath.ts';

/** One program that a script starts. */
export interface ParsedCommand {
  /** `vite` of `NODE_ENV=production npx vite build --outDir x`; without a folder. */
  readonly program: string;
  /** As it is written: `node_modules/.bin/vite`, `./bin/run`. */
  readonly word: string;
  readonly args: readonly string[];
  /** Variables that are set for it. */
  readonly variables: ReadonlyMap<string, string>;
  /** What stands between it and the command before: `&&`, `;`, `|`, `||`, `&`; empty for the first. */
  readonly joined: string;
  /** The folder that `cd` went to before it in the same line, relative to the package. */
  readonly folder: string;
}

const MAX_LINE = 4_000;
const MAX_COMMANDS = 60;
/** Programs that start another one with the rest of their arguments. */
const WRAPPERS =
  /^(?:npx|bunx|pnpx|cross-env|cross-env-shell|env|exec|time|nice|sudo|command|dotenv|dotenvx|env-cmd|is-ci|run-if-ci)$/;
const MANAGERS = /^(?:npm|pnpm|yarn|bun)$/;

/** The commands of a line, in order, with wrappers taken off. A line that no shell would take gives what can be read. */
export function parseCommands(line: string): ParsedCommand[] {
  const commands: ParsedCommand[] = [];
  let joined = '';
  let folder = '.';
  const folders: string[] = [];
  for (const part of splitLine(line.slice(0, MAX_LINE))) {
    if (part === '(' || part === ')') {
      // What a subshell changes ends with it.
      if (part === '(') folders.push(folder);
      else folder = folders.pop() ?? folder;
      continue;
    }
    if (typeof part === 'string') {
      joined = part;
      continue;
    }
    const command = toCommand(part, joined, folder);
    if (command && command.word !== '' && commands.length < MAX_COMMANDS) commands.push(command);
    const into = command?.program === 'cd' ? command.args[0] : undefined;
    if (into !== undefined) folder = resolvePath(folder, into) ?? '.';
  }
  return commands;
}

/**
 * The commands of a package's script with the scripts that it calls put in their places: `npm run a && npm run b`,
 * `run-s a b`, `yarn a`. Each script is entered once, so a circle ends.
 */
export function scriptCommands(project: Project, name: string, seen = new Set<string>()): ParsedCommand[] {
  return expandedCommands(project, scriptOf(project, name), seen.add(name));
}

export function expandedCommands(project: Project, line: string, seen = new Set<string>()): ParsedCommand[] {
  return parseCommands(line).flatMap((command) => {
    const called = calledScripts(project, command);
    if (called.length === 0) return [command];
    return called.flatMap((name) => (seen.has(name) || seen.size > 20 ? [] : scriptCommands(project, name, seen)));
  });
}

/** Names of the package's own scripts that a command runs. */
function calledScripts(project: Project, { program, args }: ParsedCommand): string[] {
  const isScript = (name: string) => scriptOf(project, name) !== '';
  const words = args.filter((arg) => !arg.startsWith('-'));
  if (program === 'run-s' || program === 'run-p' || program === 'npm-run-all' || program === 'npm-run-all2')
    return words
      .flatMap((word) =>
        word.endsWith('*')
          ? [...project.pkg.scripts.keys()].filter((s) => s.startsWith(word.replace(/\*+$/, '')))
          : [word],
      )
      .filter(isScript);
  if (!MANAGERS.test(program)) return [];
  // Into another folder: not this package's.
  if (
    args.some((arg) =>
      /^(?:--prefix|--filter|-F|-C|--cwd|--dir|-w|--workspace|--workspaces|-r|--recursive)(?:=|$)/.test(arg),
    )
  )
    return [];
  const [first, second] = words;
  const name = first === 'run' || first === 'run-script' ? second : first;
  if (name === undefined || !isScript(name)) return [];
  return first === 'run' || first === 'run-script' || first === 'start' || first === 'test' || program !== 'npm'
    ? [name]
    : [];
}

/** Words of each command and, between them, what joins them. */
function splitLine(line: string): (string[] | string)[] {
  const parts: (string[] | string)[] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = (joined: string) => {
    endWord();
    if (words.length > 0) parts.push(words);
    words = [];
    parts.push(joined);
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '\\' && i + 1 < line.length) {
      i += 1;
      word = (word ?? '') + line[i];
    } else if (c === "'" || c === '"') {
      const end = line.indexOf(c, i + 1);
      word = (word ?? '') + line.slice(i + 1, end < 0 ? line.length : end);
      i = end < 0 ? line.length : end;
    } else if (c === ' ' || c === '\t') endWord();
    else if (c === '>' || c === '<') {
      // A redirection: the file is no argument.
      if (word !== undefined && /^\d$/.test(word)) word = undefined;
      endWord();
      while (i + 1 < line.length && /[>&<\s]/.test(line[i + 1]!)) i += 1;
      while (i + 1 < line.length && !/[\s;|&]/.test(line[i + 1]!)) i += 1;
    } else if (c === ';' || c === '\n' || c === '|' || c === '&') {
      const two = line.slice(i, i + 2);
      const joined = two === '&&' || two === '||' ? two : c === '\n' ? ';' : c;
      endCommand(joined);
      i += joined.length - 1;
    } else if (c === '(' || c === ')' || c === '{' || c === '}') {
      // Of a subshell only what is in it counts.
      if (c === '(' || c === ')') {
        endWord();
        if (words.length > 0) parts.push(words);
        words = [];
        parts.push(c);
      } else if (word !== undefined) word += c;
    } else word = (word ?? '') + c;
  }
  endCommand('');
  return parts;
}

function toCommand(given: readonly string[], joined: string, folder: string): ParsedCommand | undefined {
  const variables = new Map<string, string>();
  let words = [...given];
  for (let i = 0; i < 20 && words.length > 0; i++) {
    const [first = '', ...rest] = words;
    const set = /^([A-Za-z_]\w*)=(.*)$/s.exec(first);
    const name = baseName(first);
    if (set) {
      variables.set(set[1]!, set[2]!);
      words = rest;
    } else if (WRAPPERS.test(name)) words = withoutOptions(rest);
    else if (MANAGERS.test(name) && /^(?:exec|x|dlx)$/.test(rest[0] ?? '')) words = withoutOptions(rest.slice(1));
    else if ((name === 'yarn' || name === 'bun') && isTool(rest[0])) words = rest[0] === 'run' ? rest.slice(1) : rest;
    else if (name === 'node') {
      // `node --max-old-space-size=4096 node_modules/vite/bin/vite.js build`
      const at = rest.findIndex((word) => !word.startsWith('-'));
      const tool = /(?:^|\/)node_modules\/(?:\.bin\/)?((?:@[\w.-]+\/)?[\w.-]+)/.exec(rest[at] ?? '')?.[1];
      if (tool === undefined) return parseWords(words, variables, joined, folder);
      words = [tool.replace(/^@[\w.-]+\//, ''), ...rest.slice(at + 1)];
    } else return parseWords(words, variables, joined, folder);
  }
  return undefined;
}

const parseWords = (
  [word = '', ...args]: readonly string[],
  variables: ReadonlyMap<string, string>,
  joined: string,
  folder: string,
): ParsedCommand => ({
  program: baseName(word),
  word,
  args,
  variables,
  joined,
  folder,
});

const baseName = (word: string) => word.slice(word.lastIndexOf('/') + 1).replace(/\.(?:cmd|exe)$/, '');

/** Options of a wrapper and their values: `dotenv -e .env -- vite`, `npx --yes -p typescript tsc`. */
function withoutOptions(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  if (end >= 0 && words.slice(0, end).every((word, i, all) => word.startsWith('-') || all[i - 1]?.startsWith('-')))
    return words.slice(end + 1);
  let i = 0;
  while (i < words.length && words[i]!.startsWith('-')) i += /^-(?:e|f|p|c)$|^--package$/.test(words[i]!) ? 2 : 1;
  return words.slice(i);
}

/** Whether a word after `yarn` or `bun` is a program rather than a command or option of the manager's own. */
const isTool = (word: string | undefined): boolean => word !== undefined && /^[\w@.-]+$/.test(word) && TOOLS.has(word);

/** Programs that are commonly started through a package manager's name alone. */
const TOOLS: ReadonlySet<string> = new Set([
  'vite',
  'next',
  'nuxt',
  'nuxi',
  'astro',
  'webpack',
  'rspack',
  'rsbuild',
  'parcel',
  'rollup',
  'esbuild',
  'tsc',
  'tsx',
  'ts-node',
  'gatsby',
  'eleventy',
  'vitepress',
  'vuepress',
  'docusaurus',
  'storybook',
  'ng',
  'nx',
  'turbo',
  'react-scripts',
  'vue-cli-service',
  'quasar',
  'ember',
  'remix',
  'react-router',
  'svelte-kit',
  'expo',
  'umi',
  'max',
  'nest',
  'node',
  'nodemon',
  'wrangler',
  'redwood',
  'rw',
  'gulp',
  'grunt',
  'serve',
  'http-server',
  'cross-env',
  'run-s',
  'run-p',
  'npm-run-all',
  'nitro',
  'nitropack',
  'medusa',
  'strapi',
]);

/** The value of the first of these options: `--outDir x`, `--outDir=x`. */
export function optionOf({ args }: ParsedCommand, names: readonly string[]): string | undefined {
  for (const [i, arg] of args.entries()) {
    const equals = arg.indexOf('=');
    if (equals > 0 && names.includes(arg.slice(0, equals))) return arg.slice(equals + 1);
    if (names.includes(arg) && args[i + 1] !== undefined && !args[i + 1]!.startsWith('-')) return args[i + 1];
  }
  return undefined;
}

/** Arguments that are no options; the value of an option that is written with a space counts as one. */
export const wordsOf = ({ args }: ParsedCommand): string[] => args.filter((arg) => !arg.startsWith('-'));
