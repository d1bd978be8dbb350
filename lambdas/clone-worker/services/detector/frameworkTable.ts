import { type Framework, type FrameworkDetectionItem, frameworks } from '@vercel/frameworks';
import { join } from '../../../../contract/repo-fs.ts';
import { scriptCommands } from './commandLine.ts';
import type { PackageJson } from './packageJson.ts';
import type { Snapshot } from './snapshot.ts';

/** A framework as the plan names it, with what its row says about building. */
export interface FoundFramework {
  readonly slug: string;
  readonly name: string;
  /** What matched, for the evidence. */
  readonly match: string;
  /** Command of the framework's own, used where the package has no build script. */
  readonly buildCommand: string | undefined;
  /** Relative to the package. */
  readonly outputDirectory: string | undefined;
}

interface Row {
  readonly slug: string;
  readonly name: string;
  readonly every: readonly Condition[];
  readonly some: readonly Condition[];
  readonly supersedes: readonly string[];
  readonly buildCommand: string | undefined;
  readonly outputDirectory: string | undefined;
}
type Condition = (repo: Snapshot, dir: string, pkg: PackageJson) => string | undefined;

const dependsOn =
  (name: string): Condition =>
  (_repo, _dir, pkg) =>
    pkg.dependencies.has(name) || pkg.devDependencies.has(name) ? `depends on ${name}` : undefined;
const hasFile =
  (path: string, content?: string): Condition =>
  (repo, dir) => {
    const file = join(dir, path);
    if (content === undefined) return repo.has(file) ? `has ${path}` : undefined;
    return repo.code(file)?.includes(content) ? `${path} names ${content}` : undefined;
  };

/**
 * Rows of `@vercel/frameworks` that cannot be taken as they are: their patterns are run over the text of package.json
 * and can take quadratic time there, and a dependency is what they look for anyway.
 */
const REWRITTEN: Readonly<Record<string, readonly Condition[]>> = {
  'sveltekit-1': [dependsOn('@sveltejs/kit')],
};
/** Commands of rows that deploy to another host. Source: https://docs.redwoodjs.com/docs/cli-commands#build */
const BUILD_COMMANDS: Readonly<Record<string, string>> = { redwoodjs: 'rw build', vitepress: 'vitepress build' };
/** Bundlers by themselves: libraries are built with them too, so a page has to be there. */
export const BUNDLERS: ReadonlySet<string> = new Set([
  'vite',
  'parcel',
  'webpack',
  'rspack',
  'svelte',
  'stencil',
  'brunch',
]);
/** Show the parts of a site that is built by something else. */
const PARTS: ReadonlySet<string> = new Set(['storybook', 'ladle', 'histoire']);
/** Pages that a bundler starts from, relative to the package. */
export const PAGES = [
  'index.html',
  'src/index.html',
  'public/index.html',
  'client/index.html',
  'app/index.html',
  'app/assets/index.html',
  'src/index.ejs',
  'public/index.ejs',
  'index.pug',
  'src/index.pug',
] as const;

/** Not sites or servers of Node, opt-ins of Vercel's own platform, or given better by a rule of ours. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'sveltekit',
  'sanity-v2',
  'ash',
  'eve',
  'factory-eve',
  'container',
  'services',
  'xmcp',
  'mastra',
  'solidstart',
]);
/** Rows whose detection is by the server's source text; see `serverFrameworks.ts`. */
const SERVERS: ReadonlySet<string> = new Set([
  'express',
  'fastify',
  'koa',
  'hono',
  'nestjs',
  'elysia',
  'h3',
  'node',
  'bun',
]);

/** Frameworks that the table does not know. */
const OWN: readonly Row[] = [
  ownRow('vitepress', 'VitePress', ['vitepress'], 'vitepress build', '.vitepress/dist'),
  ownRow('vike', 'Vike', ['vike'], 'vite build', 'dist/client', ['vite']),
  ownRow('qwik-city', 'Qwik City', ['@builder.io/qwik-city'], 'qwik build', 'dist', ['vite']),
  ownRow('analog', 'Analog', ['@analogjs/platform'], 'vite build', 'dist/analog/public', ['vite', 'angular', 'nitro']),
  ownRow('waku', 'Waku', ['waku'], 'waku build', 'dist/public', ['vite']),
  ownRow('rsbuild', 'Rsbuild', ['@rsbuild/core'], 'rsbuild build', 'dist'),
  ownRow('parcel', 'Parcel', ['parcel-bundler'], 'parcel build', 'dist'),
  ownRow('rspack', 'Rspack', ['@rspack/cli'], 'rspack build', 'dist'),
  ownRow('quasar', 'Quasar', ['@quasar/app-vite'], 'quasar build', 'dist/spa', ['vite']),
  ownRow('quasar', 'Quasar', ['@quasar/app-webpack'], 'quasar build', 'dist/spa', ['webpack']),
  ownRow('quasar', 'Quasar', ['@quasar/app'], 'quasar build', 'dist/spa', ['webpack']),
  ownRow('umijs', 'Umi', ['@umijs/max'], 'max build', 'dist'),
  // Start brings the router's plugin along since 1.121.
  ownRow('tanstack-start', 'TanStack Start', ['@tanstack/react-start'], 'vite build', 'dist', [
    'vite',
    'rsbuild',
    'nitro',
    'ionic-react',
  ]),
  ownRow('tanstack-start', 'TanStack Start', ['@tanstack/solid-start'], 'vite build', 'dist', [
    'vite',
    'rsbuild',
    'nitro',
    'ionic-react',
  ]),
  ownRow('tanstack-start', 'TanStack Start', ['@tanstack/start'], 'vinxi build', 'dist', [
    'vite',
    'nitro',
    'ionic-react',
  ]),
  ownRow('react-router', 'React Router', ['@react-router/dev'], 'react-router build', 'build/client', ['vite']),
  ownRow('rspress', 'Rspress', ['rspress'], 'rspress build', 'doc_build', ['rsbuild', 'vite']),
  ownRow('rspress', 'Rspress', ['@rspress/core'], 'rspress build', 'doc_build', ['rsbuild', 'vite']),
  ownRow('slidev', 'Slidev', ['@slidev/cli'], 'slidev build', 'dist', ['vite']),
  ownRow('dumi', 'dumi', ['dumi'], 'dumi build', 'dist', ['umijs', 'vite']),
  ownRow('observable', 'Observable Framework', ['@observablehq/framework'], 'observable build', 'dist'),
  ownRow('farm', 'Farm', ['@farmfe/core'], 'farm build', 'dist', ['vite']),
  ownRow('honkit', 'HonKit', ['honkit'], 'honkit build', '_book'),
  ownRow('ladle', 'Ladle', ['@ladle/react'], 'ladle build', 'build'),
  ownRow('histoire', 'Histoire', ['histoire'], 'histoire build', '.histoire/dist'),
  ownRow('expo-web', 'Expo for web', ['expo', 'react-native-web'], 'expo export -p web', 'dist'),
  ownRow('webpack', 'webpack', ['webpack', 'webpack-cli'], 'webpack --mode production', 'dist'),
];

function ownRow(
  slug: string,
  name: string,
  deps: readonly string[],
  buildCommand: string,
  outputDirectory: string,
  supersedes: readonly string[] = [],
): Row {
  return { slug, name, every: deps.map(dependsOn), some: [], supersedes, buildCommand, outputDirectory };
}

/** A detector of the table as a condition; undefined where it cannot be judged in bounded time. */
function conditionOf(item: FrameworkDetectionItem): Condition | undefined {
  if (item.matchPackage !== undefined) return dependsOn(item.matchPackage);
  if (item.path === undefined) return undefined;
  if (item.matchContent === undefined) return hasFile(item.path);
  return /^[\w@/-]+$/.test(item.matchContent) ? hasFile(item.path, item.matchContent) : undefined;
}

function rowOf(framework: Framework): Row[] {
  const { slug, detectors } = framework;
  if (slug === null || !detectors || LEFT_OUT.has(slug) || SERVERS.has(slug) || !isForNode(framework)) return [];
  const conditionsOf = (items: readonly FrameworkDetectionItem[] = []) => items.map(conditionOf);
  const every = (REWRITTEN[slug] ?? conditionsOf(detectors.every)).filter((c) => c !== undefined);
  const some = conditionsOf(detectors.some).filter((c) => c !== undefined);
  // A condition that cannot be judged is a condition that is not met.
  if (!REWRITTEN[slug] && every.length < (detectors.every?.length ?? 0)) return [];
  if (some.length === 0 && every.length === 0) return [];
  const output = framework.settings.outputDirectory;
  return [
    {
      slug,
      name: framework.name,
      every,
      some,
      supersedes: framework.supersedes ?? [],
      buildCommand: BUILD_COMMANDS[slug] ?? framework.settings.buildCommand.value ?? undefined,
      outputDirectory: ('value' in output ? output.value : undefined) ?? undefined,
    },
  ];
}

/** Other languages' rows are looked at by `otherLanguages.ts`. */
const isForNode = (framework: Framework): boolean => {
  const install = framework.settings.installCommand;
  const text = 'value' in install && install.value ? install.value : (install.placeholder ?? '');
  return /npm|yarn|pnpm|bun install/.test(text);
};

const ROWS: readonly Row[] = [...(frameworks as readonly Framework[]).flatMap(rowOf), ...OWN];

/**
 * The framework of the package in a folder: the first row in the table's order that matches and that no other match
 * supersedes. What is only a bundler comes after what uses one; Storybook shows parts of a site that is bundled.
 */
export function findFramework(repo: Snapshot, dir: string, pkg: PackageJson): FoundFramework | undefined {
  const matches = ROWS.flatMap((candidate) => {
    const match = matchOf(candidate, repo, dir, pkg);
    return match === undefined ? [] : [{ ...candidate, match }];
  });
  const superseded = new Set(matches.flatMap((m) => m.supersedes));
  const left = matches.filter((m) => !superseded.has(m.slug));
  const hasPage = PAGES.some((page) => repo.has(join(dir, page)));
  const kindOf = ({ slug }: Row) => (PARTS.has(slug) ? 1 : BUNDLERS.has(slug) ? (hasPage ? 0.5 : 2) : 0);
  // What the build script calls is what builds: others are left from before a move, or document what is built.
  const commands = left.length < 2 ? [] : scriptCommands({ repo, dir, pkg }, 'build');
  const programs = new Set(commands.map(({ program }) => program));
  const isCalled = (row: Row) => programs.has(toolOf(row)) || (row.slug === 'umijs' && programs.has('umi'));
  const calledSites = left.filter((row) => isCalled(row) && (!BUNDLERS.has(row.slug) || (hasPage && !pkg.isLibrary)));
  const rankOf = (row: Row) => kindOf(row) + (calledSites.length === 0 || isCalled(row) ? 0 : 1);
  return left.reduce<(typeof left)[number] | undefined>(
    (first, next) => (first === undefined || rankOf(next) < rankOf(first) ? next : first),
    undefined,
  );
}

/** First word of a row's own build command: `ng` of `ng build`. */
function toolOf({ buildCommand }: Row): string {
  const [word = ''] = (buildCommand ?? '').replace(/^npx /, '').split(' ');
  return word.slice(word.lastIndexOf('/') + 1);
}

/** The row of a slug, for a project whose framework is known by other signs. */
export function findFrameworkBySlug(slug: string, match: string): FoundFramework | undefined {
  const found = ROWS.find((candidate) => candidate.slug === slug);
  return found && { ...found, match };
}

function matchOf({ every, some }: Row, repo: Snapshot, dir: string, pkg: PackageJson): string | undefined {
  const all = every.map((c) => c(repo, dir, pkg));
  if (all.includes(undefined)) return undefined;
  const any = some.length === 0 ? undefined : some.map((c) => c(repo, dir, pkg)).find((m) => m !== undefined);
  if (some.length > 0 && any === undefined) return undefined;
  return all[0] ?? any;
}
