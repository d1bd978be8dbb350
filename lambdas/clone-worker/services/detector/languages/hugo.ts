import { join } from '../../../../../contract/repo-fs.ts';
import { judgeBaseUrl } from '../baseUrl.ts';
import { type Data, entryOf, firstFile, isTable, readData, tableOf, textOf } from '../dataFile.ts';
import type { Findings } from '../findings.ts';
import { type GeneratorSite, isUsable, proposeGenerator } from '../generatorPlan.ts';
import { generatorIn } from '../generators.ts';
import type { Forced, Language } from '../language.ts';
import type { Snapshot } from '../snapshot.ts';
import { findStatedVersion, type StatedVersion, versionIn } from '../statedVersion.ts';
import { rendersPages } from './hugoPages.ts';

const STRENGTH = 50;
const EXTENSIONS = ['toml', 'yaml', 'yml', 'json'];
const KEYS = [
  'baseURL',
  'baseurl',
  'baseUrl',
  'publishDir',
  'publishdir',
  'theme',
  'module',
  'contentDir',
  'contentdir',
];
const OWN_FOLDERS = ['content', 'layouts', 'themes', 'data'];
const NAMES = { tools: ['hugo', 'gohugo', 'hugo-extended'], variable: 'HUGO_VERSION', workflow: ['hugo-version'] };
/** Brings Hugo of its own version. The one of `hugo-bin` is another. */
const PACKAGE = 'hugo-extended';

/** Sites of Hugo. Sources: https://gohugo.io/getting-started/configuration/, https://gohugo.io/commands/hugo/ */
export const hugo: Language = {
  name: 'hugo',
  propose(dir, context) {
    const { repo, wanted } = context;
    const found = generatorIn(repo, dir);
    if (found?.name !== 'Hugo' || (wanted.frontend !== dir && whyNoHugoSite(repo, dir) !== undefined)) return [];
    const site = (findings: Findings, forced: Forced) => describeSite(repo, dir, found.file, findings, forced);
    return [proposeGenerator({ dir, runtime: 'hugo', strength: STRENGTH, reason: `has ${found.file}`, site }, context)];
  },
};

/** What a configuration of Hugo's belongs to, where it is no site. */
export function whyNoHugoSite(repo: Snapshot, dir: string): string | undefined {
  if (repo.has(join(dir, 'theme.toml')) || repo.has(join(dir, 'theme.yaml')))
    return 'it belongs to a theme, and a theme is no site';
  if (/(?:^|\/)exampleSite$/.test(dir)) return 'it is the example of a theme, and a theme is no site';
  const config = readConfig(repo, dir);
  const isSite =
    OWN_FOLDERS.some((name) => isEntry(repo, join(dir, name))) ||
    ['module', 'theme', 'contentDir'].some((key) => entryOf(config, key) !== undefined);
  if (!isSite) return 'there is neither a content nor a layouts folder beside it';
  return rendersPages(repo, dir, config)
    ? undefined
    : 'it has no theme, and no layout that makes a whole page (a baseof.html, say), so Hugo would write empty pages; set "theme", or add the layouts';
}

const isEntry = (repo: Snapshot, path: string) => repo.isDirectory(path) || repo.fs.kind(path) === 'submodule';

/** The configuration; of what stands in several files the first. Those of `config/_default` name a section each. */
function readConfig(repo: Snapshot, dir: string): Data | undefined {
  const inFolder = (folder: string, base: string) =>
    EXTENSIONS.map((extension) => join(folder, `${base}.${extension}`));
  const read = (name: string) => readData(repo, join(dir, name), KEYS);
  const [file, folder] = [
    [...inFolder('.', 'hugo'), ...inFolder('.', 'config')].find((name) => repo.has(join(dir, name))),
    [
      ...inFolder('config/production', 'hugo'),
      ...inFolder('config/_default', 'hugo'),
      ...inFolder('config/_default', 'config'),
    ],
  ];
  const module = firstFile(
    repo,
    join(dir, 'config/_default'),
    EXTENSIONS.map((extension) => `module.${extension}`),
  );
  const imports = module === undefined ? undefined : readData(repo, module, KEYS);
  const parts = [...folder.map(read), file === undefined ? undefined : read(file), imports && { module: imports }];
  const found = parts.filter((part) => part !== undefined);
  return found.length === 0 ? undefined : Object.assign({}, ...found.reverse());
}

function describeSite(repo: Snapshot, dir: string, file: string, findings: Findings, forced: Forced): GeneratorSite {
  const config = readConfig(repo, dir);
  if (config === undefined) findings.warn(`${file} cannot be read here; what Hugo does without it is expected.`);
  const base = chooseBase(textOf(config, 'baseURL'), file, findings);
  const destination = textOf(config, 'publishDir');
  const usable = destination === undefined || isUsable(destination, dir);
  if (!usable)
    findings.warn(
      `${file}: publishDir is "${destination.slice(0, 60)}", which cannot be published; "public" takes its place.`,
    );
  warnOfModules(repo, dir, config, findings);
  return {
    runtime: 'hugo',
    name: 'Hugo',
    dir,
    file,
    version: forced.runtime?.version === undefined ? versionOf(repo, dir) : undefined,
    install: null,
    command: ['hugo --gc --minify', base && '--baseURL /', usable ? undefined : '--destination public']
      .filter(Boolean)
      .join(' '),
    output:
      usable && destination !== undefined
        ? { path: destination, rule: 'publishDir', file }
        : { path: 'public', rule: 'default of Hugo' },
    variables: [base && 'HUGO_BASEURL=/', usable ? undefined : 'HUGO_PUBLISHDIR=public']
      .filter(Boolean)
      .map((set) => `${set} `)
      .join(''),
    runs: ({ program, args }) =>
      /^(?:hugo|hugo-bin|hugo-extended)$/.test(program) && !/^(?:server|serve|mod|new|version)$/.test(args[0] ?? ''),
    outputOptions: ['--destination', '-d'],
    usesPackage: 'tools',
  };
}

/** True where links have to begin at the root. */
function chooseBase(baseUrl: string | undefined, file: string, findings: Findings): boolean {
  const judged = judgeBaseUrl(baseUrl);
  const shown = (baseUrl ?? '').slice(0, 80);
  if (judged.kind === 'other')
    findings.warn(`${file}: baseURL is "${shown}", which ${judged.why}. The site is built with "/" in its place.`);
  if (judged.kind === 'own')
    findings.warn(
      `${file}: baseURL is "${shown}", so absolute links of the pages lead there wherever they are served. "frontend.buildCommand": "hugo --gc --minify --baseURL /" builds them without an address.`,
    );
  return judged.kind === 'other';
}

/** Stated for builds, or that of the npm package that brings Hugo. */
function versionOf(repo: Snapshot, dir: string): StatedVersion | undefined {
  const stated = findStatedVersion(repo, dir, NAMES);
  if (stated) return stated;
  const pkg = repo.packageJson(dir);
  const wanted = pkg?.devDependencies.get(PACKAGE) ?? pkg?.dependencies.get(PACKAGE) ?? '';
  const version = versionIn(wanted.replace(/^[~^]/, ''));
  return version === undefined ? undefined : { version, file: join(dir, 'package.json'), rule: PACKAGE };
}

/** Modules are fetched by Go, which is in no frontend builder. Source: https://gohugo.io/hugo-modules/use-modules/ */
function warnOfModules(repo: Snapshot, dir: string, config: Data | undefined, findings: Findings): void {
  const imports = entryOf(tableOf(config, 'module'), 'imports');
  const remote = (Array.isArray(imports) ? imports : []).filter(
    (one) => isTable(one) && /^[\w.-]+\.\w+\//.test(textOf(one, 'path') ?? ''),
  );
  if (remote.length === 0 || repo.isDirectory(join(dir, '_vendor'))) return;
  const first = textOf(remote[0] as Data, 'path')!.slice(0, 80);
  findings.warn(
    `Hugo fetches the module "${first}" with Go, which the builder does not have. "hugo mod vendor" puts it into the folder _vendor, which can be committed.`,
  );
}
