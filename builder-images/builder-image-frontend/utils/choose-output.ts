import { lstatSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { type FoundOutput, findOutputs, namesOf } from './find-output.ts';

export interface ChooseOptions {
  /** `OUTPUT_DIR`; empty where the plan names none. */
  readonly planned: string;
  /** `OUTPUT_NAMED`: the user's own choice. */
  readonly isNamed: boolean;
  /** The repository. */
  readonly source: string;
  /** The package's folder as it was before the build, every link on the way to it followed. */
  readonly folder: string;
  /** `markTime` before the build; undefined where none ran. */
  readonly since: bigint | undefined;
  readonly ownerUid: number | undefined;
  readonly signal: AbortSignal;
}

export interface ChosenOutput {
  /** Relative to the package. */
  readonly path: string;
  readonly warnings: readonly string[];
}

/**
 * The folder to publish: the planned one, or, where it has no page, another one that the build has just written with an
 * index.html. What the user named is never replaced. Throws `VerenError('OUTPUT_NOT_FOUND')`; a planned folder that is missing
 * while there is no other is left to the publisher.
 */
export async function chooseOutput(options: ChooseOptions): Promise<ChosenOutput> {
  const { planned, isNamed, folder, since } = options;
  if (since === undefined) return { path: planned === '' ? '.' : planned, warnings: [] };
  const state = planned === '' ? 'missing' : await look(join(folder, planned), options.source);
  if (state === 'page') return { path: planned, warnings: [] };
  // The build may have put a link in the place of its own folder.
  const isSame = (await realpath(folder).catch(() => null)) === folder;
  const others = isSame
    ? (await findOutputs({ ...options, since })).filter(({ path }) => mayReplace(planned, path))
    : [];
  const [first] = others;
  if (!first) {
    if (planned !== '') return { path: planned, warnings: [] };
    throw new VerenError('OUTPUT_NOT_FOUND', { reason: await whatIsThere(options) });
  }
  const setting = `"frontend.outputDirectory": ${JSON.stringify(first.path)}`;
  if (isNamed) {
    if (state === 'missing' || state === 'empty')
      throw new VerenError('OUTPUT_NOT_FOUND', {
        reason: `"${planned}" is ${state}, and the build wrote "${first.path}", which holds an index.html.`,
      });
    return {
      path: planned,
      warnings: [`The build wrote "${first.path}", which holds an index.html. To publish it: ${setting}.`],
    };
  }
  const expected = planned === '' ? '' : ` "${planned}" was expected and ${WHAT[state]}.`;
  return {
    path: first.path,
    warnings: [
      `"${first.path}" is published, since the build wrote it and it holds an index.html.${expected}${rest(others)} To make sure of it: ${setting}.`,
    ],
  };
}

/** Of one folder. A page beyond them is found by the publisher, which walks all. */
const MOST_NAMES = 100_000;

type State = 'missing' | 'empty' | 'files' | 'page';
const WHAT: Readonly<Record<Exclude<State, 'page'>, string>> = {
  missing: 'is not there',
  empty: 'is empty',
  files: 'holds no index.html',
};

/** What a planned folder holds. One that is a link out of the repository is the publisher's to refuse. */
async function look(path: string, source: string): Promise<State> {
  const [real, inside] = await Promise.all([path, source].map((one) => realpath(one).catch(() => null)));
  if (!real || !inside) return 'missing';
  if (real !== inside && !real.startsWith(inside + sep)) return 'page';
  if (!(await stat(real)).isDirectory()) return 'missing';
  const names = await namesOf(real, MOST_NAMES);
  if (names.some((name) => /^index\.html?$/i.test(name))) return 'page';
  return names.length === 0 ? 'empty' : 'files';
}

/** Of a planned folder's own folders only those that tools make for browsers: of `en` and `de` neither is the site. */
const FOR_BROWSERS = /^(?:browser|client|public|www|static|html|site|web|spa|dist|build)$/;
function mayReplace(planned: string, path: string): boolean {
  const root = planned.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
  if (root === '' || root === '.' || !path.startsWith(`${root}/`)) return true;
  return path
    .slice(root.length + 1)
    .split('/')
    .every((name) => FOR_BROWSERS.test(name));
}

/** The others that could be meant: not what lies below the chosen one. */
function rest([first, ...others]: readonly FoundOutput[]): string {
  const apart = others.filter(({ path, pageIsNew }) => pageIsNew && !path.startsWith(`${first!.path}/`));
  if (apart.length === 0) return '';
  const names = apart.slice(0, 3).map(({ path }) => `"${path}"`);
  return ` So ${apart.length === 1 ? 'does' : 'do'} ${names.join(', ')}${apart.length > 3 ? ', …' : ''}.`;
}

/** A sentence for a build that made no page. */
async function whatIsThere({ folder, since }: ChooseOptions): Promise<string> {
  const info = lstatSync(join(folder, 'index.html'), { bigint: true, throwIfNoEntry: false });
  if (info?.isFile() && info.ctimeNs > since!)
    return 'it wrote index.html into the package’s own folder, where its sources lie.';
  const names = (await namesOf(folder, MOST_NAMES))
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .filter((name) => lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory())
    .map((name) => name.replace(/[^\x20-\x7e]/g, '?').slice(0, 60))
    .sort();
  const seen = names.slice(0, 8).map((name) => `"${name}"`);
  const folders = seen.length === 0 ? 'there is no folder but hidden ones' : `the folders are ${seen.join(', ')}`;
  return `no folder that it wrote holds an index.html (${folders}${names.length > seen.length ? ', …' : ''}).`;
}
