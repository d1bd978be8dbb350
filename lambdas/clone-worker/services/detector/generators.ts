import { join, upward } from '../../../../contract/repo-fs.ts';
import { holdsEntry } from './listedNames.ts';
import type { Snapshot } from './snapshot.ts';

/** A site generator that is no JavaScript, by its configuration in a folder. */
interface Generator {
  readonly name: string;
  readonly isIn: (repo: Snapshot, dir: string) => string | undefined;
}

const hasFile =
  (...names: readonly string[]) =>
  (repo: Snapshot, dir: string) =>
    names.map((name) => join(dir, name)).find((file) => repo.has(file));

/** A shared name of configuration file, which says whose it is. */
const whenSaying =
  (pattern: RegExp, ...names: readonly string[]) =>
  (repo: Snapshot, dir: string) =>
    names.map((name) => join(dir, name)).find((file) => pattern.test(repo.text(file) ?? ''));

const GENERATORS: readonly Generator[] = [
  { name: 'Hugo', isIn: hasFile('hugo.toml', 'hugo.yaml', 'hugo.yml', 'hugo.json') },
  {
    name: 'Hugo',
    isIn: (repo, dir) =>
      ['content', 'archetypes', 'layouts', 'themes'].some((folder) => repo.isDirectory(join(dir, folder)))
        ? whenSaying(
            /^\s{0,9}["']?(?:baseURL|baseurl|languageCode)["']?\s{0,9}[:=]/m,
            'config.toml',
            'config.yaml',
            'config.yml',
            'config.json',
          )(repo, dir)
        : undefined,
  },
  {
    name: 'Hugo',
    isIn: (repo, dir) =>
      hasFile(
        'hugo.toml',
        'hugo.yaml',
        'hugo.yml',
        'hugo.json',
        'config.toml',
        'config.yaml',
        'config.yml',
        'config.json',
      )(repo, join(dir, 'config/_default')),
  },
  { name: 'Zola', isIn: whenSaying(/^\s{0,9}base_url\s{0,9}=/m, 'config.toml', 'zola.toml') },
  { name: 'MkDocs', isIn: hasFile('mkdocs.yml', 'mkdocs.yaml') },
  { name: 'mdBook', isIn: hasFile('book.toml') },
  { name: 'Pelican', isIn: hasFile('pelicanconf.py') },
  {
    name: 'Sphinx',
    isIn: (repo, dir) =>
      hasFile('index.rst', 'index.md', 'index.txt')(repo, dir) === undefined
        ? undefined
        : hasFile('conf.py')(repo, dir),
  },
  {
    name: 'Sphinx',
    isIn: (repo, dir) => (repo.has(join(dir, 'source/index.rst')) ? hasFile('source/conf.py')(repo, dir) : undefined),
  },
  { name: 'Quarto', isIn: hasFile('_quarto.yml', '_quarto.yaml') },
  {
    name: 'Jupyter Book',
    isIn: (repo, dir) => (repo.has(join(dir, '_config.yml')) ? hasFile('_toc.yml')(repo, dir) : undefined),
  },
  { name: 'Antora', isIn: hasFile('antora-playbook.yml', 'antora-playbook.yaml') },
  { name: 'Cobalt', isIn: hasFile('_cobalt.yml') },
  { name: 'Bridgetown', isIn: hasFile('bridgetown.config.yml', 'config/initializers.rb') },
  {
    name: 'Middleman',
    isIn: (repo, dir) => (repo.isDirectory(join(dir, 'source')) ? hasFile('config.rb')(repo, dir) : undefined),
  },
  { name: 'Nanoc', isIn: hasFile('nanoc.yaml') },
  {
    name: 'Jekyll',
    // Hexo has a file of the same name, and a package.json.
    isIn: (repo, dir) =>
      repo.has(join(dir, 'package.json')) && /hexo/.test(repo.text(join(dir, 'package.json')) ?? '')
        ? undefined
        : hasFile('_config.yml', '_config.yaml', '_config.toml')(repo, dir),
  },
];

/** The generator that a folder belongs to: configured in it or above. */
export function generatorAt(repo: Snapshot, dir: string): Found | undefined {
  for (const at of upward(dir)) {
    const found = generatorIn(repo, at);
    if (found && (!NARROW.has(found.name) || ownsFolder(at, dir))) return found;
  }
  return undefined;
}

interface Found {
  readonly name: string;
  readonly file: string;
}
const known = new WeakMap<Snapshot, Map<string, Found | undefined>>();

/** The generator that is configured in a folder itself; looked up once, since every folder below asks again. */
export function generatorIn(repo: Snapshot, dir: string): Found | undefined {
  const ofRepo = known.get(repo) ?? new Map<string, Found | undefined>();
  known.set(repo, ofRepo);
  if (!ofRepo.has(dir)) ofRepo.set(dir, findGenerator(repo, dir));
  return ofRepo.get(dir);
}

function findGenerator(repo: Snapshot, dir: string): Found | undefined {
  for (const { name, isIn } of GENERATORS) {
    const file = isIn(repo, dir);
    if (file !== undefined) return { name, file };
  }
  return undefined;
}

/** Generators of documentation, which lie beside the program that they document and own a few folders only. */
const NARROW: ReadonlySet<string> = new Set([
  'MkDocs',
  'mdBook',
  'Pelican',
  'Sphinx',
  'Quarto',
  'Jupyter Book',
  'Antora',
]);
function ownsFolder(root: string, dir: string): boolean {
  const below = root === '.' ? dir : dir.slice(root.length + 1);
  return (
    dir === root ||
    /^(?:docs?|src|themes?|overrides|custom_theme|content|output|book|templates|site)(?:\/|$)/.test(below)
  );
}

/** Folders in which generators keep templates, not pages. */
const TEMPLATE_FOLDER =
  /(?:^|\/)(?:layouts|themes|_layouts|_includes|_site-src|archetypes|templates|partials|views|_templates)(?:\/|$)/;

/** `{{ .Title }}`, `{{ define "main" }}`, `{{- if .X -}}`, `{{> header}}`, `{{#each}}` of Go, Hugo and Handlebars. */
const GO_TEMPLATE =
  /\{\{[-<%\s]?\s{0,9}(?:\.(?=[\w\s}])|(?:partial|partialCached|block|define|template|include|yield)\s{1,9}["'`.$(]|(?:range|with|if)\s{1,9}[.$(]|(?:end|else)\s{0,9}-?\}\}|[>#/]\s{0,9}[\w.-]+)/;
/** What a layout is filled with: `{{ content }}`, `{{ page.title }}`. */
const NAMED_CONTENT = /\{\{-?\s{0,9}(?:content|yield|(?:page|site|layout|post)\.\w+)\s{0,9}[|}-]/;
/** Libraries of the browser that fill a page with the same braces. */
const RENDERED_IN_BROWSER =
  /<script\b[^>]{0,200}(?:vue|angular|alpine|handlebars|mustache|ractive|knockout|hogan)|\b(?:ng-app|v-app|x-data|v-cloak|v-if|v-for)\b/i;

/** Why an index.html is no page that can be published as it is; undefined for a page. */
export function templateSign(repo: Snapshot, dir: string): string | undefined {
  const said = templateText(repo, dir);
  if (said !== undefined) return said;
  const generator = generatorAt(repo, dir);
  if (generator && generator.name !== 'Jekyll') return `it belongs to a ${generator.name} site`;
  return generator && TEMPLATE_FOLDER.test(dir) ? 'it lies in a folder of templates' : undefined;
}

/** The same by the page's text alone. */
export function templateText(repo: Snapshot, dir: string): string | undefined {
  const generator = generatorAt(repo, dir);
  const text = repo.head(join(dir, 'index.html')) ?? '';
  if (/^\ufeff?---\s*\n/.test(text)) return 'it begins with front matter';
  if (/<\?(?:php\b|=)|<%[-=_]?\s|^\s{0,9}@(?:extends|section|yield)\(/m.test(text)) return 'it is a template';
  if (/\{%-?\s/.test(text) || GO_TEMPLATE.test(text)) return 'it is a template';
  if ((generator || !RENDERED_IN_BROWSER.test(text)) && NAMED_CONTENT.test(text)) return 'it is a template';
  return undefined;
}

/** A page that a bundler starts from holds the names of sources. */
export function isSourcePage(repo: Snapshot, dir: string): boolean {
  const text = repo.head(join(dir, 'index.html')) ?? '';
  if (/<script\b[^>]{0,200}\bsrc\s{0,3}=\s{0,3}["'][^"']{1,200}\.(?:tsx?|jsx|vue|svelte|mts)["'?]/i.test(text))
    return true;
  if (/<script\b[^>]{0,200}\btype=["']module["'][^>]{0,200}\bsrc\s{0,3}=\s{0,3}["']\/src\//i.test(text)) return true;
  if (/%PUBLIC_URL%|%VITE_\w|<%=\s{0,3}(?:BASE_URL|htmlWebpackPlugin)/.test(text)) return true;
  return holdsEntry(repo.fs, dir, (name) =>
    /^(?:vite|webpack|rsbuild|rspack|parcel|rollup|snowpack|wmr)\.config\.[cm]?[jt]s$/.test(name),
  );
}
