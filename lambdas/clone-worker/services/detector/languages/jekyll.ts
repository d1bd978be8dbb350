import { join, upward } from '../../../../../contract/repo-fs.ts';
import { judgeBaseUrl } from '../baseUrl.ts';
import { entryOf, readData, textOf } from '../dataFile.ts';
import type { Findings } from '../findings.ts';
import { type GeneratorSite, isUsable, proposeGenerator } from '../generatorPlan.ts';
import { generatorIn } from '../generators.ts';
import type { Forced, Language } from '../language.ts';
import type { Snapshot } from '../snapshot.ts';

const STRENGTH = 50;
const KEYS = ['destination', 'baseurl', 'url', 'theme', 'remote_theme', 'source'];
const BUILD = 'JEKYLL_ENV=production bundle exec jekyll build';

/** Sites of Jekyll. Sources: https://jekyllrb.com/docs/configuration/options/, https://bundler.io/man/bundle-check.1.html */
export const jekyll: Language = {
  name: 'jekyll',
  propose(dir, context) {
    const { repo } = context;
    const found = generatorIn(repo, dir);
    if (found?.name !== 'Jekyll' || gemfileOf(repo, dir) === undefined) return [];
    const site = (findings: Findings, forced: Forced) => describeSite(repo, dir, found.file, findings, forced);
    return [
      proposeGenerator({ dir, runtime: 'jekyll', strength: STRENGTH, reason: `has ${found.file}`, site }, context),
    ];
  },
};

/** Why a configuration of Jekyll's is not enough: other hosts bring the gems that it needs, in versions of their own. */
export const whyNoJekyllSite = (repo: Snapshot, dir: string): string | undefined =>
  gemfileOf(repo, dir) === undefined
    ? 'no Gemfile names jekyll or github-pages; add one, with the theme and the plugins that the site uses'
    : undefined;

/** The Gemfile that bundler finds from the folder, where it brings Jekyll. */
function gemfileOf(repo: Snapshot, dir: string): string | undefined {
  const at = [...upward(dir)].find((folder) => repo.has(join(folder, 'Gemfile')));
  if (at === undefined) return undefined;
  const named = /^\s{0,20}gem[\s(]{1,9}["'](?:jekyll|github-pages|just-the-docs|jekyll-theme-[\w-]{1,60})["']/m.test(
    (repo.text(join(at, 'Gemfile')) ?? '').slice(0, 64 * 1024),
  );
  return named || lockedVersion(repo, at) !== undefined ? join(at, 'Gemfile') : undefined;
}

/** `    jekyll (4.3.2)`: four spaces are what is installed, six what somebody asks for. */
const lockedVersion = (repo: Snapshot, dir: string): string | undefined =>
  /^ {4}jekyll \((\d[\w.]{0,30})\)$/m.exec((repo.text(join(dir, 'Gemfile.lock')) ?? '').slice(0, 256 * 1024))?.[1];

function describeSite(repo: Snapshot, dir: string, file: string, findings: Findings, forced: Forced): GeneratorSite {
  const gemfile = gemfileOf(repo, dir)!;
  const at = gemfile === 'Gemfile' ? '.' : gemfile.slice(0, -'/Gemfile'.length);
  const config = readData(repo, file, KEYS);
  if (config === undefined && (repo.text(file) ?? '').trim() !== '')
    findings.warn(`${file} cannot be read here; what Jekyll does without it is expected.`);
  const locked = lockedVersion(repo, at);
  const lockfile = join(at, 'Gemfile.lock');
  if (locked === undefined)
    findings.warn(
      `${gemfile} has no Gemfile.lock beside it that names jekyll, so each build may install other versions. "bundle lock" makes one.`,
    );
  if (forced.runtime?.version !== undefined && forced.runtime.version !== locked)
    findings.warn(
      `The version of Jekyll is the one that ${locked === undefined ? gemfile : lockfile} says, not the one that is asked for.`,
    );
  warnOfRuby(repo, at, findings);
  const path = textOf(config, 'baseurl')?.replace(/\/+$/, '') ?? '';
  const misplaced = path !== '';
  if (misplaced)
    findings.warn(
      `${file}: baseurl is "${path.slice(0, 60)}", and a site is served at the root here. It is built with an empty one.`,
    );
  if (judgeBaseUrl(textOf(config, 'url')).kind === 'own')
    findings.warn(
      `${file}: url is "${textOf(config, 'url')!.slice(0, 80)}", which absolute links (absolute_url, the feed) lead to wherever the pages are served.`,
    );
  const folder = textOf(config, 'destination');
  const usable = folder === undefined || isUsable(folder, dir);
  if (!usable)
    findings.warn(
      `${file}: destination is "${folder.slice(0, 60)}", which cannot be published; "_site" takes its place.`,
    );
  if (entryOf(config, 'remote_theme') !== undefined && !/remote[_-]theme|github-pages/.test(repo.text(gemfile) ?? ''))
    findings.warn(`${file} names a remote_theme, and ${gemfile} does not bring jekyll-remote-theme.`);
  return {
    runtime: 'jekyll',
    name: 'Jekyll',
    dir,
    file,
    version: locked === undefined ? undefined : { version: locked, file: lockfile, rule: 'Gemfile.lock' },
    install: {
      command: 'bundle check || bundle install',
      rule: locked === undefined ? 'Gemfile' : 'Gemfile.lock',
      file: locked === undefined ? gemfile : lockfile,
    },
    command: [BUILD, misplaced && "--baseurl ''", !usable && '--destination _site'].filter(Boolean).join(' '),
    output:
      usable && folder !== undefined
        ? { path: folder, rule: 'destination', file }
        : { path: '_site', rule: 'default of Jekyll' },
    variables: 'JEKYLL_ENV=production ',
    runs: ({ program, args }) =>
      (program === 'jekyll' && args[0] !== 'serve') ||
      (program === 'bundle' && args.includes('jekyll') && !args.includes('serve')),
    outputOptions: ['--destination', '-d'],
    usesPackage: 'script',
  };
}

/** bundler refuses another Ruby where the Gemfile names one. */
function warnOfRuby(repo: Snapshot, at: string, findings: Findings): void {
  const file = join(at, '.ruby-version');
  const wanted = /\d{1,3}\.\d{1,3}(?:\.\d{1,3})?/.exec((repo.text(file) ?? '').slice(0, 100))?.[0];
  if (wanted !== undefined) findings.warn(`${file} asks for Ruby ${wanted}; the builder's own Ruby is used.`);
}
