import { expandedCommands, type ParsedCommand, wordsOf } from './commandLine.ts';
import { dependencyVersion, type Project, scriptOf } from './project.ts';

/**
 * What a start line runs in the end. `server`: a program of Node or Bun. `watcher`: the same, started anew at every
 * change. `elsewhere`: goes into another folder. `tool`: a bundler, a file server, a task runner. `foreign`: needs another
 * runtime. `developer`: the local imitation of another platform.
 */
export type StartKind = 'server' | 'watcher' | 'elsewhere' | 'tool' | 'foreign' | 'developer';

const TOOLS =
  /^(?:react-scripts|react-app-rewired|craco|vite|vite-node|ng|nx|turbo|lerna|vue-cli-service|parcel|webpack|webpack-cli|webpack-dev-server|rsbuild|rspack|http-server|serve|live-server|lite-server|browser-sync|gatsby|astro|next|nuxt|nuxi|remix|remix-serve|react-router|react-router-serve|expo|react-native|electron|electron-forge|electron-builder|storybook|start-storybook|docusaurus|eleventy|hexo|gulp|grunt|tsc|tsup|rollup|esbuild|ember|stencil|wmr|preact|snowpack|vitepress|vuepress|slidev|jest|vitest|mocha|playwright|cypress|sirv|umi|max|quasar|nitro|nitropack|vinxi|waku|vike|concurrently|npm-run-all|npm-run-all2|run-p|run-s|wsrun|changeset|rimraf|eslint|prettier|biome|husky|nodemon-webpack|ionic|cap|tauri|sass|postcss|tailwindcss|rw|redwood|sanity|babel|swc|typedoc|hugo-bin|dumi|father|rspress|slidev|observable|honkit|gitbook|ladle|histoire|farm|wxt|plasmo|umi-serve|wmr|ng-packagr|electron-vite|web-ext|vsce)$/;
const DEVELOPER_SERVERS =
  /^(?:wrangler|workerd|miniflare|vercel|netlify|ntl|serverless|sls|func|firebase|sst|sam|amplify|arc|architect|partykit|convex|fastly|edgio|deployctl|shopify|cdk|localstack|ampx)$/;
const FOREIGN =
  /^(?:docker|docker-compose|podman|python\d?(?:\.\d+)?|pip\d?|uvicorn|gunicorn|waitress-serve|daphne|hypercorn|granian|streamlit|celery|chainlit|fastapi|flask|poetry|uv|pipenv|django-admin|php|composer|artisan|symfony|frankenphp|heroku-php-(?:apache2|nginx)|go|air|deno|hugo|jekyll|bundle|ruby|rails|rackup|puma|rake|java|mvn|mvnw|gradle|gradlew|make|cmake|cargo|rustc|dotnet|mix|elixir|iex|perl|swift|R|Rscript|open|xdg-open|start|explorer|code|heroku|kubectl|terraform|ssh|open-cli|electron-forge)$/;
/** Needs a runtime or a tool that is not part of a builder for Node. */
export const isForeignProgram = (program: string): boolean => FOREIGN.test(program);

const WATCHERS = /^(?:nodemon|ts-node-dev|tsnd|node-dev|supervisor|tsc-watch|onchange|chokidar|watchexec)$/;
/** Say something or prepare something: what comes before or after them decides. */
const ASIDE =
  /^(?:echo|exit|printf|cd|export|set|mkdir|rm|cp|mv|chmod|sleep|test|true|\[|wait-on|rimraf|cpx|copyfiles|shx|del-cli|clear|source|\.|wait-for-it|cross-port-killer|kill-port)$/;
/** Commands of these that serve in production. */
const SERVING: ReadonlyMap<string, RegExp> = new Map([
  ['nest', /^start$/],
  ['strapi', /^start$/],
  ['medusa', /^start$/],
  ['pm2', /./],
  ['pm2-runtime', /./],
]);

/** Judges a start line by what it runs last, since what comes before that only prepares. */
export const judgeStart = (project: Project, line: string): StartKind => judgeLine(project, line, true);

/** `outer` is false for a line inside of `concurrently`, where another one is not entered: scripts may call each other in a circle. */
function judgeLine(project: Project, line: string, outer: boolean): StartKind {
  if (goesElsewhere(line)) return 'elsewhere';
  const decisive = lastCommands(expandedCommands(project, line));
  if (decisive.length === 0) return 'tool';
  const kinds = decisive.map((command) => judgeCommand(project, command, outer));
  // Of several that run side by side (`a & b`) one server is enough.
  return kinds.find((kind) => kind === 'server') ?? kinds.find((kind) => kind === 'watcher') ?? kinds.at(-1)!;
}

/** The commands that run at the end: of a pipeline the first, of `a & b` both, of `a && b` the last. */
function lastCommands(commands: readonly ParsedCommand[]): ParsedCommand[] {
  const steps: ParsedCommand[][] = [];
  for (const command of commands) {
    const current = steps.at(-1);
    // `a || exit 1`: the second is for the case that the first fails.
    if (current && (command.joined === '&' || command.joined === '||')) current.push(command);
    else if (current && command.joined === '|') continue;
    else steps.push([command]);
  }
  return (
    steps.map((step) => step.filter(({ program }) => !ASIDE.test(program))).findLast((step) => step.length > 0) ?? []
  );
}

function judgeCommand(project: Project, command: ParsedCommand, outer: boolean): StartKind {
  const { program, args } = command;
  const [first = ''] = wordsOf(command);
  if (DEVELOPER_SERVERS.test(program)) return 'developer';
  // Compiles for developing. Source: https://docs.adonisjs.com/guides/getting-started/deployment
  if (program === 'node' && /^(?:\.\/)?ace(?:\.js)?$/.test(first) && args.includes('serve')) return 'developer';
  if (FOREIGN.test(program)) return 'foreign';
  if (WATCHERS.test(program)) return 'watcher';
  if (
    args.some((arg) => arg === '--watch' || arg === '--hot' || arg.startsWith('--watch=')) ||
    ((program === 'tsx' || program === 'bun') && first === 'watch')
  )
    return 'watcher';
  if (program === 'nest') return args.includes('start') && !args.includes('--prod') ? 'watcher' : 'server';
  if (SERVING.get(program)?.test(first)) return 'server';
  if (program === 'concurrently' && outer) return judgeSideBySide(project, command);
  if (TOOLS.test(program)) return 'tool';
  if (program === 'bun' && first === 'run' && /\.[cm]?[jt]sx?$/.test(wordsOf(command)[1] ?? '')) return 'server';
  if (/^(?:npm|pnpm|yarn|bun)$/.test(program) && !/\.[cm]?[jt]sx?$/.test(first)) {
    // A script of this package would have been put in its place: there is none of that name.
    return first === '' || /^(?:run|start|exec|install|i|ci|add|test)$/.test(first)
      ? 'tool'
      : dependencyVersion(project, first)
        ? 'server'
        : 'tool';
  }
  return runsProgram(project, command) ? 'server' : 'tool';
}

const RUNTIMES =
  /^(?:node|nodejs|bun|tsx|esno|esmo|jiti|ts-node|ts-node-esm|ts-node-script|babel-node|swc-node|sucrase-node|node-ts|pm2|pm2-runtime|forever|npx|npm|pnpm|yarn|sh|bash|zsh|ash)$/;

/** A runtime, a file of the repository, a command that a dependency brings along, or one that starts any of these. */
function runsProgram(project: Project, { program, word, args }: ParsedCommand): boolean {
  if (RUNTIMES.test(program) || word.includes('/') || word.startsWith('$') || /\.[cm]?[jt]s$|\.sh$/.test(word))
    return true;
  const fromDependency = [...project.pkg.dependencies.keys()].some((name) => {
    const last = name.slice(name.lastIndexOf('/') + 1);
    return (
      last === program ||
      (program.length >= 4 && name.includes(program)) ||
      (last.length >= 4 && program.startsWith(last))
    );
  });
  return (
    fromDependency ||
    SERVING.has(program) ||
    args.some((arg, i) => RUNTIMES.test(arg) && /^[^-]/.test(args[i + 1] ?? ''))
  );
}

/** `concurrently "node a.js" "npm:b"`: a service where each of its lines is one. */
function judgeSideBySide(project: Project, command: ParsedCommand): StartKind {
  const lines = wordsOf(command)
    .map((word) => (word.startsWith('npm:') ? scriptOf(project, word.slice(4)) : word))
    .filter((line) => /\s/.test(line))
    .slice(0, 10);
  const kinds = lines.map((line) => judgeLine(project, line, false));
  return kinds.length > 0 && kinds.every((kind) => kind === 'server') ? 'server' : 'tool';
}

/** Goes into another folder, where another package is the one that starts. */
export const goesElsewhere = (line: string): boolean =>
  /(?:^|[;&|]\s{0,9})cd\s|--prefix[\s=]|--workspaces?[\s=]|(?:npm|yarn)\s[^;&|]{0,80}\s-w\s|--filter[\s=]|\byarn (?:workspace|workspaces|--cwd)\b|\bpnpm (?:-C|--dir|-r|-F|--recursive)\b/.test(
    line,
  );
