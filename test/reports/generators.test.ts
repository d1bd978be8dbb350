import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateDeployment } from '../../contract/api.ts';
import { describeWith, onPath } from '../support/engines.ts';
import { makeRepo } from '../support/gitServer.ts';
import { usePlatform } from '../support/veren.ts';

/** Sites of generators that are no JavaScript, built with the programs of this machine and read back over HTTP. */
const platform = usePlatform();

let projects = 0;
async function deploy(files: Record<string, string>, frontend: Exclude<CreateDeployment['frontend'], false> = {}) {
  const projectId = `generator-${++projects}`;
  const { path } = makeRepo(join(platform.folder, projectId), files);
  const record = await platform.veren.deploy({ projectId, gitUrl: pathToFileURL(path).href, frontend });
  const artifact = record.builds.frontend?.artifact;
  const url = artifact?.kind === 'static' ? artifact.url : '';
  const log = (await platform.veren.logs(record.deploymentId)).map(({ line }) => line).join('\n');
  const read = async (at: string) => (await fetch(new URL(at, url))).text();
  return { record, plan: record.plan?.frontend, log, read, warnings: artifact?.warnings ?? [] };
}

const missing = (...programs: string[]) => {
  const absent = programs.find((program) => onPath(program) === null);
  return absent === undefined ? null : `${absent} was not found on PATH`;
};

const HUGO = {
  'hugo.toml': 'baseURL = "https://example.org/"\ntitle = "A site"\npublishDir = "made"\n',
  'content/_index.md': '# Front',
  'content/posts/one.md': '---\ntitle: One\n---\nThe **first** post.',
  'layouts/index.html':
    '<h1>{{ .Site.Title }}</h1>{{ range .Site.RegularPages }}<a href="{{ .Permalink }}">{{ .Title }}</a>{{ end }}',
  'layouts/_default/single.html': '<article>{{ .Content }}</article>',
};

describeWith(missing('hugo'), 'Hugo', () => {
  test('a site is built, its links begin at the root, and another version than the stated one is told', async () => {
    const { record, plan, log, read, warnings } = await deploy({
      ...HUGO,
      'netlify.toml': '[build.environment]\nHUGO_VERSION = "0.42.1"\n',
    });
    expect([record.error, record.status]).toEqual([undefined, 'succeeded']);
    expect(plan).toMatchObject({
      framework: 'hugo',
      runtime: { name: 'hugo', version: '0.42.1' },
      installCommand: null,
      buildCommand: 'hugo --gc --minify --baseURL /',
      outputDirectory: 'made',
    });
    expect(record.builds.frontend?.runtime).toEqual({ name: 'hugo', version: '0.42.1' });
    expect(await read('/')).toMatch(/<h1>A site<\/h1><a href="?\/posts\/one\/"?>One<\/a>/);
    expect(await read('/posts/one/')).toContain('<strong>first</strong>');
    expect(warnings.join('\n')).toMatch(/Hugo 0\.42\.1 is stated, and this machine has \d+\.\d+/);
    expect(log).toContain('$ hugo --gc --minify --baseURL /');
    expect(record.plan?.warnings.join('\n')).toContain('baseURL is "https://example.org/", which is a placeholder');
  }, 300_000);

  test('a package.json beside it: its script runs first, with its dependencies', async () => {
    const { record, plan, read } = await deploy({
      ...HUGO,
      'hugo.toml': 'title = "Styled"',
      'package.json': JSON.stringify({ private: true, scripts: { build: 'node css.mjs' } }),
      'package-lock.json': JSON.stringify({ name: 'x', lockfileVersion: 3, packages: { '': {} } }),
      'css.mjs':
        "import { mkdirSync, writeFileSync } from 'node:fs'; mkdirSync('static'); writeFileSync('static/a.css', 'made');",
    });
    expect(record.error).toBeUndefined();
    expect(plan).toMatchObject({ installCommand: 'npm ci', buildCommand: 'npm run build && hugo --gc --minify' });
    expect(await read('/a.css')).toBe('made');
    expect(await read('/')).toContain('Styled');
  }, 300_000);
});

describeWith(missing('bundle', 'jekyll'), 'Jekyll', () => {
  test('a site is built with the gems of its Gemfile, at the root', async () => {
    const { record, plan, read } = await deploy({
      Gemfile: "source 'https://rubygems.org'\ngem 'jekyll'\n",
      '_config.yml': 'title: A blog\nbaseurl: /old\ndestination: ./made\n',
      '_layouts/default.html':
        '<h1>{{ site.title }} {{ jekyll.environment }}</h1><a href="{{ "/x" | relative_url }}">x</a>{{ content }}',
      'index.md': '---\nlayout: default\n---\nThe **front**.',
      '_posts/2026-01-02-hello.md': '---\nlayout: default\n---\nHello.',
    });
    expect([record.error, record.status]).toEqual([undefined, 'succeeded']);
    expect(plan).toMatchObject({
      framework: 'jekyll',
      runtime: { name: 'jekyll', version: null },
      installCommand: 'bundle check || bundle install',
      outputDirectory: 'made',
    });
    const page = await read('/');
    expect(page).toContain('<h1>A blog production</h1><a href="/x">x</a>');
    expect(page).toContain('<strong>front</strong>');
    expect(await read('/2026/01/02/hello.html')).toContain('Hello.');
    expect(record.plan?.warnings.join('\n')).toContain('has no Gemfile.lock beside it');
  }, 300_000);
});

const MKDOCS = {
  'mkdocs.yml':
    'site_name: A manual\nsite_dir: made\nmarkdown_extensions:\n  - toc:\n      slugify: !!python/name:markdown.extensions.toc.slugify\n',
  'docs/index.md': '# Front\n\nThe **first** page.',
  'docs/more.md': '# More',
};

describeWith(missing('mkdocs'), 'MkDocs', () => {
  test('a site without requirements is built with the program of this machine', async () => {
    const { record, plan, read } = await deploy(MKDOCS);
    expect([record.error, record.status]).toEqual([undefined, 'succeeded']);
    expect(plan).toMatchObject({
      framework: 'mkdocs',
      installCommand: null,
      buildCommand: 'mkdocs build',
      outputDirectory: 'made',
    });
    expect(await read('/')).toContain('<strong>first</strong>');
    expect(await read('/more/')).toContain('More');
  }, 300_000);
});

describeWith(missing('python3'), 'MkDocs by its requirements', () => {
  test('the versions that the repository states are installed for the build', async () => {
    const { record, plan, read } = await deploy({ ...MKDOCS, 'docs/requirements.txt': 'mkdocs==1.6.1\n' });
    expect(record.error).toBeUndefined();
    expect(plan).toMatchObject({
      installCommand: 'pip install -r docs/requirements.txt',
      runtime: { name: 'mkdocs', version: '1.6.1' },
    });
    expect(await read('/')).toMatch(/MkDocs version : 1\.6\.1|mkdocs-1\.6\.1/);
  }, 300_000);
});

test('a program that is not there: the error says what to install', async () => {
  const { record, read } = await deploy({
    'config.toml': 'base_url = "https://example.org"\ntitle = "x"',
    'content/_index.md': '',
    'templates/index.html': '<h1>{{ config.title }}</h1>',
  });
  expect(record.plan?.frontend).toMatchObject({ framework: 'zola', buildCommand: 'zola build --base-url /' });
  if (onPath('zola') !== null) return expect(await read('/')).toContain('<h1>x</h1>');
  expect(record.error).toMatchObject({ code: 'GENERATOR_MISSING' });
  expect(record.error?.message).toMatch(/built with Zola, and zola was not found on this machine: install Zola/);
}, 300_000);
