import { type Framework, type FrameworkDetectionItem, frameworks } from '@vercel/frameworks';
import { join } from '../../../../contract/repo-fs.ts';
import { scriptCommands } from './commandLine.ts';
import type { FrameworkRules } from './framework.ts';
import { FRAMEWORKS, rulesOf } from './frameworks/index.ts';
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

/** Rows of our own, for what the library does not know. */
const ownRows = ({ slug, rows = [] }: FrameworkRules): Row[] =>
  rows.map(({ dependencies, supersedes = [], ...row }) => ({
    ...row,
    slug,
    every: dependencies.map(dependsOn),
    some: [],
    supersedes,
  }));

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
  const { signs, buildCommand } = rulesOf(slug);
  const every = (signs?.map(dependsOn) ?? conditionsOf(detectors.every)).filter((c) => c !== undefined);
  const some = conditionsOf(detectors.some).filter((c) => c !== undefined);
  // A condition that cannot be judged is a condition that is not met.
  if (!signs && every.length < (detectors.every?.length ?? 0)) return [];
  if (some.length === 0 && every.length === 0) return [];
  const output = framework.settings.outputDirectory;
  return [
    {
      slug,
      name: framework.name,
      every,
      some,
      supersedes: framework.supersedes ?? [],
      buildCommand: buildCommand ?? framework.settings.buildCommand.value ?? undefined,
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

const ROWS: readonly Row[] = [...(frameworks as readonly Framework[]).flatMap(rowOf), ...FRAMEWORKS.flatMap(ownRows)];

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
  const kindOf = ({ slug }: Row) => {
    const { showsParts, bundles } = rulesOf(slug);
    return showsParts ? 1 : bundles ? (hasPage ? 0.5 : 2) : 0;
  };
  // What the build script calls is what builds: others are left from before a move, or document what is built.
  const commands = left.length < 2 ? [] : scriptCommands({ repo, dir, pkg }, 'build');
  const programs = new Set(commands.map(({ program }) => program));
  const isCalled = (row: Row) =>
    [toolOf(row), ...(rulesOf(row.slug).calledAs ?? [])].some((name) => programs.has(name));
  const calledSites = left.filter(
    (row) => isCalled(row) && (!rulesOf(row.slug).bundles || (hasPage && !pkg.isLibrary)),
  );
  const rankOf = (row: Row) => kindOf(row) + (calledSites.length === 0 || isCalled(row) ? 0 : 1);
  return left.reduce<(typeof left)[number] | undefined>(
    (first, next) => (first === undefined || rankOf(next) < rankOf(first) ? next : first),
    undefined,
  );
}

/** First word of a framework's own build command: `ng` of `ng build`. */
export function toolOf({ buildCommand }: Pick<FoundFramework, 'buildCommand'>): string {
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
