import type { Target } from '../../../../contract/builders.ts';
import type { GitOptions } from '../../../../contract/deployment-options.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import { join, type RepoFs, upward } from '../../../../contract/repo-fs.ts';
import { holdsEntry } from './listedNames.ts';
import { countPackageFolders, MAX_PACKAGES } from './manifests.ts';
import { notDeployed } from './otherLanguages.ts';
import type { Snapshot } from './snapshot.ts';

/** Of each kind of thing so many are named, the rest only counted. */
const MAX_NAMED = 10;

/** What lies in the repository and plays no part in the plan, as sentences. */
export function listUnhonoured(
  repo: Snapshot,
  plans: Readonly<Partial<Record<Target, TargetPlan | undefined>>>,
  git: GitOptions = {},
): string[] {
  const targets = [plans.frontend, plans.backend].filter((plan) => plan !== undefined);
  const paths = [...new Set(targets.map(({ path }) => path))];
  const others = notDeployed(repo, paths, plans.backend, (what) => isOfGenerator(repo, plans.frontend, what));
  const rushFile = paths.flatMap((path) => [...upward(path)].map((at) => join(at, 'rush.json'))).find(repo.has);
  const rush = rushFile
    ? `${rushFile}: Rush is not supported. The package is installed by itself, which fails where it needs others of the repository.`
    : undefined;
  return [
    ...[others, rush].filter((warning) => warning !== undefined),
    ...(git.submodules ? [] : listSubmodules(repo.fs, plans.frontend)),
    ...(git.lfs ? [] : largeFiles(repo)),
    ...paths.filter((path) => !isDockerfileUsed(plans.backend, path)).flatMap((path) => dockerFiles(repo, path)),
    ...paths.flatMap((path) => listProcesses(repo, path)),
    ...beyondLimits(repo.fs),
  ];
}

/** Files of another language that the site's generator is installed by are used, and no program beside it. */
function isOfGenerator(repo: Snapshot, plan: TargetPlan | undefined, what: string): boolean {
  const name = plan?.runtime?.name;
  if (plan === undefined || name === undefined) return false;
  const hasFile = (pattern: RegExp) => holdsEntry(repo.fs, plan.path, (file) => pattern.test(file));
  if (name === 'jekyll') return what.startsWith('a Ruby project') && !hasFile(/^(?:config\.ru|app\.rb|main\.rb)$/);
  if (name === 'hugo') return what.startsWith('a Go module') && !hasFile(/\.go$/);
  return name === 'mkdocs' && what.startsWith('a Python project') && !hasFile(/\.py$|^setup\.cfg$/);
}

function listSubmodules(fs: RepoFs, site: TargetPlan | undefined): string[] {
  const found: string[] = [];
  for (const dir of fs.directories())
    for (const [name, kind] of fs.list(dir)) if (kind === 'submodule') found.push(join(dir, name));
  const named = found.sort().slice(0, MAX_NAMED);
  const rest = found.length - named.length;
  return [
    ...named.map(
      (path) =>
        `"${path}" is a submodule, which is not fetched: the folder is empty. "git": {"submodules": true} fetches it.${isTheme(path, site) ? ' It is a theme of the site, which has no pages without it.' : ''}`,
    ),
    ...(rest > 0 ? [`${rest} more submodules are not fetched either.`] : []),
  ];
}

const isTheme = (path: string, site: TargetPlan | undefined): boolean =>
  /^(?:hugo|zola)$/.test(site?.runtime?.name ?? '') && path.startsWith(join(site!.path, 'themes/'));

/** Attribute files that give a pattern to Git LFS. Source: https://git-lfs.com */
function largeFiles(repo: Snapshot): string[] {
  const found: string[] = [];
  for (const dir of repo.fs.directories()) {
    const file = join(dir, '.gitattributes');
    const patterns = (repo.text(file) ?? '')
      .slice(0, 64 * 1024)
      .split('\n')
      .filter((line) => !line.startsWith('#') && /\sfilter=lfs(?:\s|$)/.test(line))
      .map((line) => line.trim().split(/\s/)[0]!.slice(0, 60));
    if (patterns.length === 0) continue;
    const more = patterns.length > 5 ? ` and ${patterns.length - 5} more` : '';
    found.push(
      `${file} keeps ${patterns.slice(0, 5).join(', ')}${more} in Git LFS. Its objects are not fetched, so such a file holds only a pointer; "git": {"lfs": true} fetches them.`,
    );
  }
  const rest = found.length - MAX_NAMED;
  return rest > 0 ? [...found.slice(0, MAX_NAMED), `${rest} more .gitattributes files name Git LFS.`] : found;
}

function dockerFiles(repo: Snapshot, dir: string): string[] {
  const files = ['Dockerfile', 'Containerfile', '.dockerignore'].map((name) => join(dir, name)).filter(repo.has);
  if (files.length === 0) return [];
  const own = files[0]!;
  const named = own.slice(own.lastIndexOf('/') + 1);
  const hint = named === '.dockerignore' ? '' : ` ${dockerfileSetting(dir, named)} builds it instead.`;
  return [
    `${files.join(' and ')} ${files.length === 1 ? 'is' : 'are'} not used: the build goes by what was detected.${hint}`,
  ];
}

const dockerfileSetting = (dir: string, name: string) =>
  `"backend": {${dir === '.' ? '' : `"path": ${JSON.stringify(dir)}, `}"dockerfile": ${JSON.stringify(name)}}`;

const isDockerfileUsed = (backend: TargetPlan | undefined, path: string): boolean =>
  backend?.dockerfile !== undefined && backend.path === path;

/** Processes of a Procfile but `web`. Source: https://devcenter.heroku.com/articles/procfile */
function listProcesses(repo: Snapshot, dir: string): string[] {
  const file = join(dir, 'Procfile');
  const names = [...(repo.text(file) ?? '').slice(0, 16 * 1024).matchAll(/^([\w-]{1,60}):[ \t]*\S/gm)].map(
    ([, name]) => name!,
  );
  const workers = names.filter((name) => name !== 'web' && name !== 'release').slice(0, MAX_NAMED);
  return [
    ...(names.includes('release')
      ? [
          `${file}: the "release" line is not run. What it does before a release (migrations, say) is to be done by the start command or by hand.`,
        ]
      : []),
    ...(workers.length > 0
      ? [`${file}: only "web" is started, not ${workers.map((name) => `"${name}"`).join(', ')}.`]
      : []),
  ];
}

function beyondLimits(fs: RepoFs): string[] {
  const count = countPackageFolders(fs);
  return count > MAX_PACKAGES
    ? [
        `${count} folders hold a package or a page; only the first ${MAX_PACKAGES}, the ones nearest to the root, were looked at. "frontend.path" or "backend.path" can name another one.`,
      ]
    : [];
}
