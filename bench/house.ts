import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { findProse, listDocuments, MAX_LINE } from '../test/support/wrapDocuments.ts';

/** The call by which each function's ports and settings become the function. */
const COMPOSED_BY: Readonly<Record<string, string>> = {
  api: 'createApi',
  'clone-worker': 'drainCloneQueue',
  'build-worker': 'drainBuildQueue',
  'event-projector': '(?:project|projectBatch)',
  'task-watcher': '(?:watch|watchTasks)',
  'log-streamer': 'createStreamer',
  'repo-analyzer': 'createAnalyzer',
  websocket: 'handleWebSocket',
};
/** Where functions are put together, on AWS, on the laptop and for tests of more than one of them. */
const PLACES = /^(lambdas\/[^/]+\/([^/]+\.lambda|compose)\.ts|local\/platform\/|test\/support\/)/;
const EXCEPTION = 'lambdas/clone-worker/analyzeRepository.ts';

/**
 * `npm run bench -- house`: how well the rooms of docs/architecture.md are kept, how often a function is put together, what
 * names and documents are like, for the working tree and for every commit of HOUSE_COMMITS (separated by spaces).
 */
export async function run(): Promise<void> {
  const commits = (process.env.HOUSE_COMMITS ?? '').split(' ').filter(Boolean);
  const columns = [...commits, 'working tree'].map((name) => ({ name, rows: measureAt(name) }));
  const names = [...new Set(columns.flatMap(({ rows }) => [...rows.keys()]))];
  console.log(''.padEnd(58), ...columns.map(({ name }) => name.slice(0, 12).padStart(13)));
  for (const name of names)
    console.log(name.padEnd(58), ...columns.map(({ rows }) => String(rows.get(name) ?? '–').padStart(13)));
}

function measureAt(name: string): Map<string, number> {
  if (name === 'working tree') return measureTree(join(import.meta.dirname, '..'));
  const folder = mkdtempSync(join(tmpdir(), 'veren-house-'));
  try {
    const archive = execFileSync('git', ['archive', name], { maxBuffer: 1 << 30 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    // Documents are listed by git.
    execFileSync('git', ['init', '--quiet', folder]);
    return measureTree(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const measureTree = (root: string): Map<string, number> => {
  const sources = readSources(root);
  return new Map([...measure(sources), ...measureWords(sources), ...measureDocuments(root)]);
};

/** Names that files outside of tests export. */
function measureWords(sources: ReadonlyMap<string, string>): [string, number][] {
  const texts = [...sources].filter(([file]) => !/^(?:test|bench)\/|\/dist\//.test(file));
  const namesOf = (pattern: RegExp) =>
    texts.flatMap(([file, text]) => [...text.matchAll(pattern)].map(([, name = '']) => ({ file, name })));
  const functions = namesOf(/^export (?:async )?(?:function\*? |const (?=\w+ = (?:async )?(?:\(|\w+ =>)))(\w+)/gm);
  const oneWord = functions.filter(({ name }) => /^[a-z]+$/.test(name) && name !== 'handler');
  const places = new Map<string, Set<string>>();
  for (const { file, name } of namesOf(/^export (?:interface|type|(?:abstract )?class) (\w+)/gm))
    places.set(name, (places.get(name) ?? new Set()).add(file));
  return [
    ['exported functions', functions.length],
    ['of them with a name of one word, %', Math.round((1_000 * oneWord.length) / functions.length) / 10],
    ['type names that several files export', [...places.values()].filter((files) => files.size > 1).length],
  ];
}

function measureDocuments(root: string): [string, number][] {
  const linesIn = (path: string) => readFileSync(join(root, path), 'utf8').split('\n');
  const long = listDocuments(root).flatMap((path) => {
    const lines = linesIn(path);
    const isProse = findProse(lines);
    return lines.filter((line, at) => isProse[at] && line.length > MAX_LINE);
  });
  const snapshots = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((path) => `test/${path}`)
    .filter((path) => /\.snap$|^test\/lib\/templates\/.*\.(?:txt|yaml)$/.test(path));
  return [
    [`lines of prose over ${MAX_LINE} characters`, long.length],
    ['lines of snapshots', snapshots.reduce((sum, path) => sum + linesIn(path).length, 0)],
  ];
}

function readSources(root: string): Map<string, string> {
  const folders = ['lambdas', 'builder-images', 'contract', 'local', 'operator', 'lib', 'bin', 'test'];
  const files = folders.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`);
    } catch {
      return []; // an older commit has no such folder
    }
  });
  const sources = files.filter((file) => file.endsWith('.ts') && !/node_modules|fixtures/.test(file));
  return new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function measure(sources: ReadonlyMap<string, string>): Map<string, number> {
  const edges = [...sources].flatMap(([from, text]) =>
    [...text.matchAll(/^(?:import|export)[^;'"]*['"](\.[^'"]+)['"]|import\(['"](\.[^'"]+)['"]\)/gm)].map((match) => ({
      from,
      to: posix.join(posix.dirname(from), match[1] ?? match[2] ?? ''),
    })),
  );
  const functionOf = (file: string) => /^lambdas\/(?!shared\/|domain\/)([^/]+)\//.exec(file)?.[1];
  const count = (test: (edge: { from: string; to: string }) => boolean) => edges.filter(test).length;
  const rows = new Map<string, number>([
    [
      'imports of one function by another',
      count(
        ({ from, to }) =>
          functionOf(from) !== undefined &&
          functionOf(to) !== undefined &&
          functionOf(from) !== functionOf(to) &&
          !(from.startsWith('lambdas/repo-analyzer/') && to === EXCEPTION),
      ),
    ],
    [
      'imports from shared or domain up into a function',
      count(({ from, to }) => /^lambdas\/(shared|domain)\//.test(from) && functionOf(to) !== undefined),
    ],
    [
      'imports from the domain to anything but the contract',
      count(({ from, to }) => from.startsWith('lambdas/domain/') && !/^(lambdas\/domain|contract)\//.test(to)),
    ],
    [
      'imports from the detector to anything but the contract',
      count(
        ({ from, to }) =>
          from.includes('/detector/') && from.startsWith('lambdas/') && !/\/detector\/|^contract\//.test(to),
      ),
    ],
    [
      'imports of one builder by the other',
      count(({ from, to }) => {
        const [, a] = /^builder-images\/([^/]+)\//.exec(from) ?? [];
        const [, b] = /^builder-images\/([^/]+)\//.exec(to) ?? [];
        return a !== undefined && b !== undefined && a !== b && b !== 'shared';
      }),
    ],
    ['lines below lambdas/ that no function holds', linesOf(sources, unreached(sources, edges))],
    ['files that know a key of a job’s notes, outside the domain', keyHolders(sources).length],
  ]);
  for (const [name, call] of Object.entries(COMPOSED_BY)) {
    const calls = new RegExp(`(?<!function |\\.)\\b${call}\\((?!event|\\{ records)`);
    const places = [...sources].filter(([file, text]) => PLACES.test(file) && calls.test(text));
    rows.set(`places where ${name} is put together`, places.length);
  }
  return rows;
}

/** Files of lambdas/ that no entry of a function leads to. */
function unreached(sources: ReadonlyMap<string, string>, edges: readonly { from: string; to: string }[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const to of next.get(file) ?? []) visit(to);
  };
  for (const file of sources.keys()) if (/^lambdas\/.*\.lambda\.ts$/.test(file)) visit(file);
  return [...sources.keys()].filter((file) => file.startsWith('lambdas/') && !reached.has(file));
}

const linesOf = (sources: ReadonlyMap<string, string>, files: readonly string[]): number =>
  files.reduce((sum, file) => sum + (sources.get(file)?.split('\n').length ?? 0), 0);

const keyHolders = (sources: ReadonlyMap<string, string>): string[] =>
  [...sources].flatMap(([file, text]) =>
    /^lambdas\/(?!domain\/)/.test(file) &&
    /\bnotes\.(?!push)[a-z]|\bnotes\[|\}\s*=\s*notes\b|\.(note|handOn)\([^(){}]*\{/.test(
      text.replaceAll('fs.notes', ''),
    )
      ? [file]
      : [],
  );
