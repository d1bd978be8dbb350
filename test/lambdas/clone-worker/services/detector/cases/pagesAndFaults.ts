import { type Case, pkg, vite } from './case.ts';

const page = (path: string, outputDirectory: string) => ({
  frontend: {
    path,
    outputDirectory,
    framework: null,
    language: 'html',
    packageManager: null,
    installCommand: null,
    buildCommand: null,
  },
  backend: null,
});
const nothing = (says: RegExp) => ({ error: { code: 'NOTHING_TO_DEPLOY', says } as const });
const invalid = (says: RegExp) => ({ error: { code: 'MANIFEST_INVALID', says } as const });

export const pageAndFaultCases: readonly Case[] = [
  { name: 'a page without package.json', files: { 'index.html': '', 'style.css': '' }, ...page('.', '.') },
  { name: 'a page in public/', files: { 'README.md': '', 'public/index.html': '' }, ...page('.', 'public') },
  { name: 'a page in docs/ (GitHub Pages)', files: { 'README.md': '', 'docs/index.html': '' }, ...page('.', 'docs') },
  { name: 'a page in frontend/', files: { 'frontend/index.html': '' }, ...page('frontend', '.') },
  {
    name: 'a page in frontend/ and a server in backend/',
    files: {
      'frontend/index.html': '',
      'backend/package.json': pkg({ scripts: { start: 'node i.js' }, dependencies: { express: '5' } }),
    },
    frontend: { path: 'frontend', language: 'html' },
    backend: { path: 'backend' },
  },
  {
    name: 'a page with a package.json for formatting only',
    files: {
      'index.html': '',
      'package.json': pkg({ devDependencies: { prettier: '3' }, scripts: { format: 'prettier -w .' } }),
    },
    ...page('.', '.'),
  },
  {
    name: 'pages below the first one are part of it',
    files: { 'index.html': '', 'blog/index.html': '' },
    ...page('.', '.'),
  },
  {
    name: 'a page that is named',
    files: { 'a/index.html': '', 'b/index.html': '' },
    request: { frontend: { path: 'b' } },
    ...page('b', '.'),
  },
  {
    name: 'a page whose output folder is given',
    files: { 'index.html': '' },
    request: { frontend: { outputDirectory: 'www' } },
    frontend: { outputDirectory: 'www' },
  },

  { name: 'an empty repository tree', files: {}, ...nothing(/holds no files/) },
  { name: 'a readme only', files: { 'README.md': '' }, ...nothing(/no package\.json and no index\.html/) },
  {
    name: 'Python',
    files: { 'requirements.txt': 'flask', 'app.py': '' },
    ...nothing(/a Python project \(requirements\.txt\)\. No service was found in it/),
  },
  { name: 'Go below', files: { 'api/go.mod': 'module x' }, ...nothing(/a Go module \(api\/go\.mod\)/) },
  { name: 'Jekyll', files: { '_config.yml': 'title: x', Gemfile: '' }, ...nothing(/a Jekyll site/) },
  { name: 'Hugo', files: { 'hugo.toml': '' }, ...nothing(/a Hugo site/) },
  {
    name: 'a submodule only',
    files: { web: { kind: 'submodule' }, '.gitmodules': '' },
    ...nothing(/"web" is a submodule, and what is in a submodule is not looked at/),
  },

  {
    name: 'malformed package.json',
    files: { 'package.json': '{ "scripts": { ' },
    ...invalid(/^package\.json cannot be read: it is not valid JSON/),
  },
  { name: 'package.json that is a list', files: { 'package.json': '[]' }, ...invalid(/no JSON object/) },
  { name: 'package.json that is empty', files: { 'package.json': '' }, ...invalid(/package\.json/) },
  {
    name: 'package.json with a byte order mark is read',
    files: { ...vite(), 'package.json': `\ufeff${vite()['package.json']}` },
    frontend: { framework: 'vite' },
  },
  {
    name: 'package.json in Latin-1 is read',
    files: {
      ...vite(),
      'package.json': Buffer.from(
        pkg({ author: 'André', scripts: { build: 'vite build' }, devDependencies: { vite: '7' } }),
        'latin1',
      ),
    },
    frontend: { framework: 'vite' },
  },
  {
    name: 'package.json with NUL bytes',
    files: { 'package.json': Buffer.from([123, 0, 0, 125]) },
    ...invalid(/package\.json/),
  },
  {
    name: 'package.json that is a pointer to Git LFS',
    files: { 'package.json': 'version https://git-lfs.github.com/spec/v1\n' },
    ...invalid(/Git LFS pointer/),
  },
  {
    name: 'package.json that is a symbolic link',
    files: { 'package.json': { kind: 'symlink' } },
    ...invalid(/symbolic link/),
  },
  {
    name: 'package.json over the size limit',
    files: { 'package.json': `{"a":"${'x'.repeat(1_100_000)}"}` },
    ...invalid(/11000\d\d bytes/),
  },
  { name: 'package.json that is a folder', files: { 'package.json/x': '' }, ...nothing(/no package\.json/) },
  {
    name: 'fields of wrong types are left out',
    files: {
      ...vite(),
      'package.json': JSON.stringify({
        name: 1,
        main: {},
        scripts: ['x'],
        dependencies: 'no',
        devDependencies: { vite: '7', x: 3 },
        engines: 'node',
        workspaces: 7,
        volta: [],
        devEngines: 'x',
        packageManager: 5,
      }),
    },
    frontend: { framework: 'vite', buildCommand: 'npx vite build', nodeVersion: 24 },
  },
  {
    name: 'keys such as __proto__ do nothing',
    files: {
      ...vite(),
      'package.json': `{"__proto__": {"scripts": {"build": "x"}}, "devDependencies": {"vite": "7", "__proto__": "1", "constructor": "1"}, "scripts": {"build": "vite build"}}`,
    },
    frontend: { framework: 'vite' },
  },
  {
    name: 'a broken manifest elsewhere is a warning',
    files: { ...vite(), 'tools/package.json': '{' },
    frontend: { path: '.' },
    warns: [/tools\/package\.json was left out: it is not valid JSON/],
  },
  {
    name: 'a broken manifest in the folder that is named is an error',
    files: { ...vite(), 'web/package.json': '{' },
    request: { frontend: { path: 'web' }, backend: false },
    ...invalid(/^web\/package\.json/),
  },
  {
    name: 'malformed pnpm-workspace.yaml is no workspace',
    files: { ...vite(), 'pnpm-workspace.yaml': '{{{{: - [' },
    frontend: { path: '.' },
  },
  {
    name: 'pnpm-workspace.yaml with a thousand million laughs',
    files: {
      ...vite(),
      'pnpm-workspace.yaml': `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: &c [${'*b,'.repeat(9)}*b]\nd: &d [${'*c,'.repeat(9)}*c]\npackages: [${'*d,'.repeat(9)}*d]\n`,
    },
    frontend: { path: '.' },
  },
  {
    name: 'malformed angular.json: the framework’s default',
    files: {
      'package.json': pkg({ scripts: { build: 'ng build' }, dependencies: { '@angular/cli': '19' } }),
      'angular.json': '{',
    },
    frontend: { framework: 'angular', outputDirectory: 'dist' },
  },
  {
    name: 'a start script that only prints',
    files: { 'package.json': pkg({ scripts: { start: 'echo hello' } }) },
    ...nothing(/package\.json has no framework that is known/),
  },
];
