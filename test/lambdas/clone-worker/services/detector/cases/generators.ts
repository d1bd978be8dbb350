import { type Case, pkg } from './case.ts';

const nothing = (says: RegExp) => ({ error: { code: 'NOTHING_TO_DEPLOY', says } as const });
const HUGO = { 'content/_index.md': '', 'layouts/index.html': '{{ .Content }}' };
const hugo = (config = '', more: Case['files'] = {}) => ({ 'hugo.toml': config, ...HUGO, ...more });
const built = (buildCommand: string, outputDirectory = 'public') => ({
  frontend: { framework: 'hugo', path: '.', buildCommand, outputDirectory, installCommand: null },
  backend: null,
});
const PLAIN = 'hugo --gc --minify';
const hugoVersion = (version: string | null, file?: string) => ({
  frontend: { runtime: { name: 'hugo', version } as const },
  because: [['runtime', file]] as const,
});
const GEMFILE = "source 'https://rubygems.org'\ngem 'jekyll', '~> 4.3'\n";
const LOCK = 'GEM\n  remote: https://rubygems.org/\n  specs:\n    jekyll (4.3.2)\n      addressable (~> 2.4)\n';
const jekyll = (config: string, more: Case['files'] = {}) => ({
  Gemfile: GEMFILE,
  'Gemfile.lock': LOCK,
  '_config.yml': config,
  'index.md': '---\n---\nx',
  ...more,
});
const JEKYLL = 'JEKYLL_ENV=production bundle exec jekyll build';
const mkdocs = (config: string, more: Case['files'] = {}) => ({
  'mkdocs.yml': config,
  'docs/index.md': '# x',
  ...more,
});
const zola = (config: string, more: Case['files'] = {}) => ({
  'config.toml': config,
  'content/_index.md': '',
  'templates/index.html': '{% extends "base.html" %}',
  ...more,
});

const hugoCases: readonly Case[] = [
  {
    name: 'Hugo: every value',
    files: hugo(''),
    frontend: {
      path: '.',
      framework: 'hugo',
      language: 'markdown',
      runtime: { name: 'hugo', version: null },
      packageManager: null,
      nodeVersion: 22,
      installPath: '.',
      installCommand: null,
      buildCommand: PLAIN,
      outputDirectory: 'public',
    },
    backend: null,
    warns: [],
    because: [
      ['framework', 'hugo.toml'],
      ['buildCommand', 'hugo.toml'],
    ],
  },
  ...['hugo.yaml', 'hugo.yml', 'hugo.json', 'config/_default/hugo.toml', 'config/_default/config.yaml'].map((file) => ({
    name: `Hugo by ${file}`,
    files: { [file]: file.endsWith('json') ? '{}' : '', ...HUGO },
    ...built(PLAIN),
  })),
  ...(
    [
      ['config.toml', 'baseURL = "/"'],
      ['config.yaml', 'baseurl: /\ntitle: x'],
      ['config.yml', 'languageCode: en'],
      ['config.json', '{\n"baseURL": "/"\n}'],
    ] as const
  ).map(([file, text]) => ({ name: `Hugo by ${file}`, files: { [file]: text, ...HUGO }, ...built(PLAIN) })),
  {
    name: 'Hugo in docs/ beside a site',
    files: { 'index.html': '', 'docs/hugo.toml': '', 'docs/content/a.md': '', 'docs/layouts/index.html': '{{ . }}' },
    frontend: { path: 'docs', framework: 'hugo' },
  },
  { name: 'Hugo: publishDir', files: hugo('publishDir = "out/site"'), ...built(PLAIN, 'out/site') },
  { name: 'Hugo: publishdir in YAML', files: { 'hugo.yaml': 'publishdir: ./made/', ...HUGO }, ...built(PLAIN, 'made') },
  {
    name: 'Hugo: publishDir of config/_default wins nothing over a file of the root that does not say it',
    files: hugo('title = "x"', { 'config/_default/hugo.toml': 'publishDir = "www"' }),
    ...built(PLAIN, 'www'),
  },
  {
    name: 'Hugo: an output beside its folder',
    files: {
      'site/hugo.toml': 'publishDir = "../docs"',
      'site/content/a.md': '',
      'site/layouts/baseof.html': '<html>',
    },
    frontend: { path: '.', outputDirectory: 'docs', buildCommand: `cd 'site' && ${PLAIN}` },
  },
  ...['../out', '/srv/www', '.', '..', 'a;rm -rf x', '-x'].map((folder) => ({
    name: `Hugo: an output that cannot be: ${folder}`,
    files: hugo(`publishDir = "${folder}"`),
    ...built(`${PLAIN} --destination public`),
    warns: [/publishDir is ".*", which cannot be published; "public" takes its place/],
  })),
  ...(
    [
      ['no theme and no layouts', {}, false],
      [
        'a layout that only fills a frame',
        { 'layouts/index.html': '{{/* home */}}\n{{ define "main" }}x{{ end }}' },
        false,
      ],
      ['a layout that is empty', { 'layouts/index.html': ' ' }, false],
      [
        'the same layout with a frame',
        { 'layouts/index.html': '{{ define "main" }}', 'layouts/_default/baseof.html': '' },
        true,
      ],
      ['a layout of a language', { 'layouts/index.en.html': '{{ .Content }}' }, true],
      ['a theme in the repository', { 'themes/t/layouts/_default/baseof.html': '' }, true],
      ['a theme that is named', { 'hugo.toml': 'theme = "t"' }, true],
      ['modules of the vendor', { '_vendor/modules.txt': '' }, true],
    ] as const
  ).map(([name, more, isSite]) => ({
    name: `Hugo: ${name}`,
    files: { 'hugo.toml': '', 'content/_index.md': '# x', ...more },
    ...(isSite
      ? { frontend: { framework: 'hugo' } }
      : { error: { code: 'NOTHING_TO_DEPLOY' as const, says: /Hugo would write empty pages/ } }),
  })),
  {
    name: 'Hugo: a placeholder for its address',
    files: hugo('baseURL = "https://example.org/"'),
    ...built(`${PLAIN} --baseURL /`),
    warns: [/which is a placeholder\. The site is built with "\/"/],
  },
  {
    name: 'Hugo: the address of GitHub Pages',
    files: hugo('baseURL = "https://me.github.io"'),
    ...built(`${PLAIN} --baseURL /`),
    warns: [/an address of another host/],
  },
  {
    name: 'Hugo: an address with a path',
    files: hugo('baseURL = "https://me.dev/blog/"'),
    ...built(`${PLAIN} --baseURL /`),
    warns: [/has a path/],
  },
  {
    name: 'Hugo: an address of its own',
    files: hugo('baseURL = "https://www.me.dev/"'),
    ...built(PLAIN),
    warns: [/absolute links of the pages lead there/],
  },
  {
    name: 'Hugo: version in netlify.toml, the production one',
    files: hugo('', {
      'netlify.toml':
        '[build.environment]\nHUGO_VERSION = "0.120.0"\n[context.production.environment]\nHUGO_VERSION = "0.128.2"\n',
    }),
    ...hugoVersion('0.128.2', 'netlify.toml'),
  },
  {
    name: 'Hugo: version in vercel.json',
    files: hugo('', { 'vercel.json': '{"build":{"env":{"HUGO_VERSION":"0.130.0"}}}' }),
    ...hugoVersion('0.130.0', 'vercel.json'),
  },
  {
    name: 'Hugo: version in .tool-versions',
    files: hugo('', { '.tool-versions': 'nodejs 22\nhugo extended_0.121.1 # x\n' }),
    ...hugoVersion('0.121.1', '.tool-versions'),
  },
  {
    name: 'Hugo: version in mise.toml',
    files: hugo('', { '.mise.toml': '[tools]\n"aqua:gohugoio/hugo" = { version = "0.140" }\n' }),
    ...hugoVersion('0.140', '.mise.toml'),
  },
  {
    name: 'Hugo: version in a workflow',
    files: hugo('', {
      '.github/workflows/a.yml':
        "jobs:\n  b:\n    steps:\n      - uses: peaceiris/actions-hugo@v3\n        with:\n          hugo-version: '0.145.0'\n",
    }),
    ...hugoVersion('0.145.0', '.github/workflows/a.yml'),
  },
  {
    name: 'Hugo: a version that is an expression is none',
    files: hugo('', {
      '.github/workflows/a.yml': '          hugo-version: ${{ env.X }}\n    env:\n      HUGO_VERSION: latest\n',
    }),
    ...hugoVersion(null),
  },
  {
    name: 'Hugo: version of hugo-extended',
    files: hugo('', { 'package.json': pkg({ private: true, devDependencies: { 'hugo-extended': '^0.147.9' } }) }),
    frontend: { runtime: { name: 'hugo', version: '0.147.9' }, installCommand: 'npm install', buildCommand: PLAIN },
  },
  {
    name: 'Hugo: the version of the request',
    files: hugo('', { '.tool-versions': 'hugo 0.121.1' }),
    request: { frontend: { runtime: { name: 'hugo', version: '0.150.0' } } },
    frontend: { runtime: { name: 'hugo', version: '0.150.0' } },
  },
  {
    name: 'Hugo: a build script that runs it, with an output of its own',
    files: hugo('baseURL = "http://localhost:1313"', {
      'package.json': pkg({
        private: true,
        scripts: { build: 'npm run css && hugo -d dist', css: 'tailwindcss -i a -o b' },
        devDependencies: { tailwindcss: '4' },
      }),
      'package-lock.json': '{"lockfileVersion":3}',
    }),
    frontend: { installCommand: 'npm ci', buildCommand: 'HUGO_BASEURL=/ npm run build', outputDirectory: 'dist' },
  },
  {
    name: 'Hugo: tools of PostCSS without a build script',
    files: hugo('', {
      'package.json': pkg({ devDependencies: { postcss: '8', 'postcss-cli': '11' } }),
      'yarn.lock': '',
    }),
    frontend: { packageManager: { name: 'yarn' }, buildCommand: PLAIN, outputDirectory: 'public' },
  },
  {
    name: 'Hugo: another Node than that of its builder',
    files: hugo('', { 'package.json': pkg({ engines: { node: '24' }, devDependencies: { postcss: '8' } }) }),
    frontend: { nodeVersion: 22 },
    warns: [/Node 24 is asked for; a site of Hugo is built with Node 22/],
  },
  {
    name: 'Hugo: a theme that is a submodule',
    files: { 'hugo.toml': 'theme = "ananke"', 'content/a.md': '', 'themes/ananke': { kind: 'submodule' } },
    ...built(PLAIN),
    warns: [/"themes\/ananke" is a submodule.*"git": \{"submodules": true\} fetches it\. It is a theme of the site/],
  },
  {
    name: 'Hugo: modules, which need Go',
    files: hugo('[[module.imports]]\npath = "github.com/imfing/hextra"\n', { 'go.mod': 'module x' }),
    ...built(PLAIN),
    warns: [/fetches the module "github\.com\/imfing\/hextra" with Go.*hugo mod vendor/],
  },
  {
    name: 'Hugo: modules that are committed',
    files: hugo('[[module.imports]]\npath = "github.com/imfing/hextra"\n', {
      'go.mod': 'module x',
      '_vendor/modules.txt': '',
    }),
    ...built(PLAIN),
    warns: [],
  },
  {
    name: 'Hugo: a configuration that is no TOML',
    files: hugo('a = = b'),
    ...built(PLAIN),
    warns: [/hugo\.toml cannot be read here/],
  },
  { name: 'Hugo: a configuration and nothing else', files: { 'hugo.toml': '' }, ...nothing(/neither a content nor/) },
  {
    name: 'Hugo: a theme is no site',
    files: {
      'theme.toml': 'name = "x"',
      'hugo.toml': '',
      'layouts/index.html': '{{ . }}',
      'exampleSite/hugo.toml': '',
    },
    ...nothing(/a Hugo site \(hugo\.toml\): it belongs to a theme/),
  },
  {
    name: 'Hugo: a symbolic link in the place of its configuration',
    files: { 'hugo.toml': { kind: 'symlink' }, 'content/a.md': '' },
    ...nothing(/only Markdown/),
  },
];

const jekyllCases: readonly Case[] = [
  {
    name: 'Jekyll: every value',
    files: jekyll('title: x'),
    frontend: {
      framework: 'jekyll',
      runtime: { name: 'jekyll', version: '4.3.2' },
      installCommand: 'bundle check || bundle install',
      buildCommand: JEKYLL,
      outputDirectory: '_site',
      packageManager: null,
    },
    backend: null,
    warns: [],
    because: [['runtime', 'Gemfile.lock']],
  },
  {
    name: 'Jekyll of GitHub Pages, without a lockfile',
    files: { Gemfile: 'gem "github-pages", group: :jekyll_plugins', '_config.yml': '', 'index.md': '' },
    frontend: { framework: 'jekyll', runtime: { name: 'jekyll', version: null } },
    warns: [/no Gemfile\.lock beside it/],
  },
  {
    name: 'Jekyll in docs/ with the Gemfile of the root',
    files: { Gemfile: GEMFILE, 'docs/_config.yml': '', 'docs/index.html': '---\n---\n{{ content }}' },
    frontend: { path: 'docs', framework: 'jekyll' },
  },
  {
    name: 'Jekyll: destination and baseurl',
    files: jekyll('destination: ./public\nbaseurl: "/repo"\nurl: https://me.dev'),
    frontend: { buildCommand: `${JEKYLL} --baseurl ''`, outputDirectory: 'public' },
    warns: [/baseurl is "\/repo"/, /url is "https:\/\/me\.dev"/],
  },
  {
    name: 'Jekyll: an output outside of the repository',
    files: jekyll('destination: ../../out'),
    frontend: { buildCommand: `${JEKYLL} --destination _site`, outputDirectory: '_site' },
    warns: [/destination is "\.\.\/\.\.\/out", which cannot be published/],
  },
  {
    name: 'Jekyll: a step of a package.json first',
    files: jekyll('', {
      'package.json': pkg({ private: true, scripts: { build: 'webpack' }, devDependencies: { webpack: '5' } }),
      'package-lock.json': '{"lockfileVersion":3}',
    }),
    frontend: {
      framework: 'jekyll',
      installCommand: 'npm ci && (bundle check || bundle install)',
      buildCommand: `npm run build && ${JEKYLL}`,
    },
    warns: [/does not run Jekyll: it is run before it/],
  },
  {
    name: 'Jekyll: a build script that runs it',
    files: jekyll('', { 'package.json': pkg({ scripts: { build: 'bundle exec jekyll build -d out' } }) }),
    frontend: { buildCommand: 'JEKYLL_ENV=production npm run build', outputDirectory: 'out' },
  },
  {
    name: 'Jekyll: another Ruby',
    files: jekyll('', { '.ruby-version': 'ruby-3.3.1\n' }),
    warns: [/asks for Ruby 3\.3\.1/],
  },
  {
    name: 'Jekyll without a Gemfile',
    files: { '_config.yml': 'theme: minima', 'index.md': '---\n---\n', '_posts/2026-01-01-a.md': '' },
    ...nothing(/a Jekyll site \(_config\.yml\): no Gemfile names jekyll or github-pages; add one/),
  },
];

const mkdocsCases: readonly Case[] = [
  {
    name: 'MkDocs: every value',
    files: mkdocs('site_name: x'),
    frontend: {
      framework: 'mkdocs',
      runtime: { name: 'mkdocs', version: null },
      installCommand: null,
      buildCommand: 'mkdocs build',
      outputDirectory: 'site',
    },
    backend: null,
    warns: [],
  },
  {
    name: 'MkDocs: requirements with an exact version',
    files: mkdocs('site_name: x', { 'requirements.txt': 'Jinja2\nmkdocs==1.5.3\n' }),
    frontend: { installCommand: 'pip install -r requirements.txt', runtime: { name: 'mkdocs', version: '1.5.3' } },
    warns: [],
  },
  {
    name: 'MkDocs: requirements of the program are not those of its documentation',
    files: mkdocs('site_name: x', { 'requirements.txt': 'numpy\n', 'docs/requirements.txt': 'mkdocs-material>=9\n' }),
    frontend: { framework: 'mkdocs', installCommand: 'pip install -r docs/requirements.txt' },
  },
  {
    name: 'MkDocs: the file that Read the Docs is told of',
    files: mkdocs('site_name: x', {
      '.readthedocs.yaml': 'python:\n  install:\n    - requirements: docs/requirements.txt\n',
      'docs/requirements.txt': 'mkdocs\n',
      'requirements-docs.txt': 'mkdocs\n',
    }),
    frontend: { installCommand: 'pip install -r docs/requirements.txt' },
  },
  {
    name: 'MkDocs: a group of pyproject.toml',
    files: mkdocs('site_name: x', {
      'pyproject.toml':
        '[dependency-groups]\ndocs = ["mkdocs==1.6.0", "mkdocs-material[imaging]>=9,<10", "evil; rm"]\n',
    }),
    frontend: {
      installCommand: "pip install 'mkdocs==1.6.0' 'mkdocs-material[imaging]>=9,<10' 'evil'",
      runtime: { name: 'mkdocs', version: '1.6.0' },
    },
  },
  {
    name: 'MkDocs: a group of Poetry',
    files: mkdocs('site_name: x', {
      'pyproject.toml':
        '[tool.poetry.group.docs.dependencies]\npython = "^3"\nmkdocs = "^1.6"\n"x\'; rm -rf /" = "1"\n',
    }),
    frontend: { installCommand: "pip install 'mkdocs'" },
  },
  {
    name: 'MkDocs: Material without requirements',
    files: mkdocs('site_name: x\ntheme:\n  name: material\nplugins:\n  - search\n  - tags\n'),
    frontend: { installCommand: 'pip install mkdocs-material' },
    warns: [/the theme "material", of which no requirements file states a version/],
  },
  {
    name: 'MkDocs: a plugin that nothing brings',
    files: mkdocs('site_name: x\nplugins:\n  search: {}\n  macros: {}\n'),
    frontend: { installCommand: null },
    warns: [/uses the plugin "macros", and no requirements file brings it/],
  },
  {
    name: 'MkDocs: tags of its YAML, and an output from the environment',
    files: mkdocs('site_name: x\nsite_dir: !ENV [OUT, made]\nx: !!python/name:a.b.c\n'),
    frontend: { outputDirectory: 'site' },
    warns: [/\(site_dir\), but not in a way that can be read/],
  },
  {
    name: 'MkDocs: site_dir, and its configuration by the other ending',
    files: { 'mkdocs.yaml': 'site_name: x\nsite_dir: ../made', 'docs/index.md': '' },
    frontend: { buildCommand: 'mkdocs build --config-file mkdocs.yaml --site-dir site', outputDirectory: 'site' },
  },
  {
    name: 'MkDocs beside a server has to be asked for',
    files: mkdocs('site_name: x', {
      'package.json': pkg({ scripts: { start: 'node i.js' }, dependencies: { express: '5' } }),
      'i.js': '',
    }),
    frontend: null,
    backend: { path: '.' },
  },
  {
    name: 'MkDocs beside a server, asked for',
    files: mkdocs('site_name: x', {
      'package.json': pkg({ scripts: { start: 'node i.js' }, dependencies: { express: '5' } }),
      'i.js': '',
    }),
    request: { frontend: { runtime: { name: 'mkdocs' } } },
    frontend: { framework: 'mkdocs', installCommand: null },
    backend: { path: '.' },
  },
];

const zolaCases: readonly Case[] = [
  {
    name: 'Zola: every value',
    files: zola('base_url = "https://example.com"\noutput_dir = "made"'),
    frontend: {
      framework: 'zola',
      runtime: { name: 'zola', version: null },
      installCommand: null,
      buildCommand: 'zola build --base-url /',
      outputDirectory: 'made',
    },
    backend: null,
  },
  {
    name: 'Zola by zola.toml, at an address of its own, its version in netlify.toml',
    files: {
      'zola.toml': 'base_url = "https://me.dev"',
      'content/a.md': '',
      'netlify.toml': '[build.environment]\nZOLA_VERSION = "0.21.0"',
    },
    frontend: { buildCommand: 'zola --config zola.toml build', runtime: { name: 'zola', version: '0.21.0' } },
    warns: [/the links of the pages lead there/],
  },
  {
    name: 'Zola: a theme that is a submodule',
    files: { ...zola('base_url = "/"\ntheme = "x"'), 'themes/x': { kind: 'submodule' } },
    warns: [/It is a theme of the site/],
  },
  {
    name: 'Zola: an output outside of the repository',
    files: zola('base_url = "/"\noutput_dir = "../../x"'),
    frontend: { buildCommand: 'zola build --output-dir public', outputDirectory: 'public' },
  },
  {
    name: 'a program with a base_url in its config.toml is no site',
    files: { 'config.toml': 'base_url = "https://api"', 'main.go': '' },
    ...nothing(/neither a content nor a templates folder/),
  },
];

const refused: readonly Case[] = [
  ...(
    [
      ['mdBook', 'an', { 'book.toml': '', 'src/SUMMARY.md': '' }],
      ['Pelican', 'a', { 'pelicanconf.py': '', 'content/a.md': '' }],
      ['Sphinx', 'a', { 'docs/conf.py': '', 'docs/index.rst': '' }],
      ['Sphinx', 'a', { 'docs/source/conf.py': '', 'docs/source/index.rst': '', 'docs/Makefile': '' }],
      ['Quarto', 'a', { '_quarto.yml': '', 'index.qmd': '' }],
      ['Jupyter Book', 'a', { '_config.yml': '', '_toc.yml': '', 'a.md': '' }],
      ['Middleman', 'a', { 'config.rb': '', 'source/index.html.erb': '' }],
      ['Antora', 'an', { 'antora-playbook.yml': '' }],
    ] as const
  ).map(([name, article, files], i) => ({
    name: `${name} has no builder (${i})`,
    files: files as Case['files'],
    ...nothing(new RegExp(`holds ${article} ${name} site \\([^)]+\\): there is no builder for it; commit the pages`)),
  })),
  {
    name: 'Markdown alone',
    files: { 'README.md': '', 'notes/a.md': '', 'notes/b.markdown': '' },
    ...nothing(/only Markdown \(README\.md, notes\/a\.md, notes\/b\.markdown\).*a mkdocs\.yml is the least/),
  },
];

export const generatorCases: readonly Case[] = [
  ...hugoCases,
  ...jekyllCases,
  ...mkdocsCases,
  ...zolaCases,
  ...refused,
  {
    name: 'Eleventy is JavaScript',
    files: {
      'package.json': pkg({ scripts: { build: 'eleventy' }, devDependencies: { '@11ty/eleventy': '3' } }),
      '.eleventy.js': 'module.exports = () => ({ dir: { output: "made" } })',
      'index.md': '',
    },
    frontend: { framework: 'eleventy', outputDirectory: 'made', runtime: { name: 'node', version: '24' } },
  },
];
