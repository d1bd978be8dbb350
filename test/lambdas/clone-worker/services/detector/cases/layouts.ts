import { type Case, pkg, vite } from './case.ts';

const app = (fields: Readonly<Record<string, unknown>> = {}) =>
  pkg({ private: true, scripts: { build: 'vite build' }, devDependencies: { vite: '^7' }, ...fields });
const api = (fields: Readonly<Record<string, unknown>> = {}) =>
  pkg({ private: true, scripts: { start: 'node index.js' }, dependencies: { express: '^5' }, ...fields });
const site = (dir: string, fields = {}) => ({ [`${dir}/package.json`]: app(fields), [`${dir}/index.html`]: '' });
const service = (dir: string, fields = {}) => ({ [`${dir}/package.json`]: api(fields), [`${dir}/index.js`]: '' });
const LOCK9 = "lockfileVersion: '9.0'\n";

export const layoutCases: readonly Case[] = [
  { name: 'one app in the root', files: vite(), frontend: { path: '.', installPath: '.' }, backend: null },
  {
    name: 'frontend/ and backend/',
    files: { ...site('frontend'), ...service('backend') },
    frontend: { path: 'frontend', installPath: 'frontend' },
    backend: { path: 'backend', installPath: 'backend' },
  },
  {
    name: 'client/ and server/',
    files: { ...site('client'), ...service('server') },
    frontend: { path: 'client' },
    backend: { path: 'server' },
  },
  {
    name: 'web/ and api/',
    files: { ...site('web'), ...service('api') },
    frontend: { path: 'web' },
    backend: { path: 'api' },
  },
  {
    name: 'a server in the root and client/',
    files: { 'package.json': api(), 'index.js': '', ...site('client') },
    frontend: { path: 'client' },
    backend: { path: '.' },
  },
  {
    name: 'a server in the root that starts backend/server.js, and frontend/ (MERN tutorials)',
    files: {
      'package.json': pkg({
        scripts: {
          start: 'node backend/server.js',
          server: 'nodemon backend/server.js',
          dev: 'concurrently "npm run server" "npm start --prefix frontend"',
        },
        dependencies: { express: '4', mongoose: '8' },
      }),
      'backend/server.js': '',
      ...site('frontend'),
    },
    frontend: { path: 'frontend' },
    backend: { path: '.', startCommand: 'npm start' },
  },
  {
    name: 'a root that only runs others is no target',
    files: {
      'package.json': pkg({
        scripts: { start: 'concurrently "npm:start:*"', build: 'npm run build --prefix frontend' },
        devDependencies: { concurrently: '9' },
      }),
      ...site('frontend'),
      ...service('backend'),
    },
    frontend: { path: 'frontend' },
    backend: { path: 'backend', startCommand: 'npm start' },
  },
  {
    name: 'a root whose start goes into another folder is no target',
    files: { 'package.json': pkg({ scripts: { start: 'cd server && npm start' } }), ...service('server') },
    backend: { path: 'server' },
  },
  {
    name: 'a start script in the root beside a site is a tool, not a backend',
    files: { 'package.json': pkg({ scripts: { start: 'node scripts/dev.js' } }), 'scripts/dev.js': '', ...site('web') },
    frontend: { path: 'web' },
    backend: null,
  },
  {
    name: 'a start script in the root beside a site, asked for',
    files: { 'package.json': pkg({ scripts: { start: 'node server.js' } }), 'server.js': '', ...site('web') },
    request: { backend: {} },
    frontend: { path: 'web' },
    backend: { path: '.' },
  },
  {
    name: 'a plain program in backend/ is a backend',
    files: { ...site('frontend'), 'backend/package.json': pkg({ scripts: { start: 'node server.js' } }) },
    frontend: { path: 'frontend' },
    backend: { path: 'backend', framework: null },
  },
  {
    name: 'npm workspaces',
    files: {
      'package.json': pkg({ workspaces: ['apps/*'] }),
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web' }),
      ...service('apps/api', { name: 'api' }),
    },
    frontend: { path: 'apps/web', installPath: '.', installCommand: 'npm ci' },
    backend: { path: 'apps/api', installPath: '.' },
  },
  {
    name: 'yarn workspaces as an object',
    files: {
      'package.json': pkg({ workspaces: { packages: ['apps/**'] } }),
      'yarn.lock': '# yarn lockfile v1\n',
      ...site('apps/group/web'),
    },
    frontend: { path: 'apps/group/web', installPath: '.', installCommand: 'yarn install --frozen-lockfile' },
  },
  {
    name: 'pnpm workspaces',
    files: {
      'package.json': pkg(),
      'pnpm-workspace.yaml': 'packages:\n  - "apps/*"\n  - "!apps/old"\n',
      'pnpm-lock.yaml': LOCK9,
      ...site('apps/web'),
    },
    frontend: {
      path: 'apps/web',
      installPath: '.',
      installCommand: 'pnpm install --frozen-lockfile',
      buildCommand: 'pnpm run build',
    },
  },
  {
    name: 'pnpm workspaces, with a catalog of many pages',
    files: {
      'package.json': pkg(),
      'pnpm-workspace.yaml': `# ${'-'.repeat(80)}\n# ${'- '.repeat(40)}\ncatalog:\n${'  some-package: ^1.2.3\n'.repeat(2_000)}packages:\n  - apps/*\n`,
      'pnpm-lock.yaml': LOCK9,
      ...site('apps/web'),
    },
    frontend: { path: 'apps/web', installPath: '.', packageManager: { name: 'pnpm', version: '9' } },
  },
  {
    name: 'a folder that the workspace excludes stands alone',
    files: {
      'package.json': pkg(),
      'pnpm-workspace.yaml': 'packages:\n  - "apps/*"\n  - "!apps/web"\n',
      'pnpm-lock.yaml': LOCK9,
      ...site('apps/web'),
    },
    frontend: { path: 'apps/web', installPath: 'apps/web', installCommand: 'pnpm install' },
  },
  {
    name: 'bun workspaces',
    files: { 'package.json': pkg({ workspaces: ['packages/*'] }), 'bun.lock': '{}', ...site('packages/site') },
    frontend: { path: 'packages/site', installPath: '.', installCommand: 'bun install --frozen-lockfile' },
  },
  {
    name: 'Lerna without workspaces in package.json',
    files: {
      'package.json': pkg({ devDependencies: { lerna: '8' } }),
      'lerna.json': '{"packages": ["packages/*"], "version": "1.0.0"}',
      'package-lock.json': '{}',
      ...site('packages/app', { name: '@a/app' }),
    },
    frontend: {
      path: 'packages/app',
      installPath: '.',
      buildCommand: 'npx lerna run build --scope=@a/app --include-dependencies',
    },
  },
  {
    name: 'braces in a workspace pattern',
    files: {
      'package.json': pkg({ workspaces: ['{apps,sites}/*'] }),
      'package-lock.json': '{}',
      ...site('sites/main'),
    },
    frontend: { path: 'sites/main', installPath: '.' },
  },
  {
    name: './ before a workspace pattern',
    files: { 'package.json': pkg({ workspaces: ['./web'] }), 'package-lock.json': '{}', ...site('web') },
    frontend: { path: 'web', installPath: '.' },
  },
  {
    name: 'Turborepo: its filter builds what is needed first',
    files: {
      'package.json': pkg({ packageManager: 'pnpm@9.1.0', devDependencies: { turbo: '2' } }),
      'turbo.json': '{ /* v2 */ "tasks": { "build": { "dependsOn": ["^build"] } } }',
      'pnpm-workspace.yaml': 'packages: ["apps/*", "packages/*"]\n',
      'pnpm-lock.yaml': LOCK9,
      ...site('apps/web', { name: 'web', dependencies: { '@repo/ui': 'workspace:*' } }),
      'packages/ui/package.json': pkg({ name: '@repo/ui', scripts: { build: 'tsc' } }),
    },
    frontend: { path: 'apps/web', installPath: '.', buildCommand: 'pnpm exec turbo run build --filter=web' },
    because: [['buildCommand', 'turbo.json']],
  },
  {
    name: 'Turborepo 1: pipeline',
    files: {
      'package.json': pkg({ workspaces: ['apps/*'], devDependencies: { turbo: '1' } }),
      'turbo.json': '{"pipeline": {"build": {}}}',
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web' }),
    },
    frontend: { buildCommand: 'npx turbo run build --filter=web' },
  },
  {
    name: 'Turborepo without a build task: the package’s own script',
    files: {
      'package.json': pkg({ workspaces: ['apps/*'], devDependencies: { turbo: '2' } }),
      'turbo.json': '{"tasks": {"lint": {}}}',
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web' }),
    },
    frontend: { buildCommand: 'npm run build' },
  },
  {
    name: 'Nx with packages',
    files: {
      'package.json': pkg({ workspaces: ['apps/*'], devDependencies: { nx: '20' } }),
      'nx.json': '{}',
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web' }),
    },
    frontend: { path: 'apps/web', installPath: '.', buildCommand: 'npx nx build web' },
  },
  {
    name: 'Nx with project.json: built from the root',
    files: {
      'package.json': pkg({ devDependencies: { nx: '20', vite: '6', '@nx/vite': '20' } }),
      'nx.json': '{}',
      'package-lock.json': '{}',
      'apps/shop/project.json': JSON.stringify({
        name: 'shop',
        projectType: 'application',
        targets: { build: { executor: '@nx/vite:build', options: { outputPath: 'dist/apps/shop' } } },
      }),
      'apps/shop/index.html': '',
    },
    frontend: {
      path: '.',
      installPath: '.',
      framework: 'vite',
      buildCommand: 'npx nx build shop',
      outputDirectory: 'dist/apps/shop',
    },
  },
  {
    name: 'Nx with project.json: outDir of Vite, inferred targets',
    files: {
      'package.json': pkg({ devDependencies: { nx: '20', vite: '6' } }),
      'nx.json': '{}',
      'pnpm-lock.yaml': LOCK9,
      'apps/shop/project.json': JSON.stringify({ name: 'shop', projectType: 'application' }),
      'apps/shop/index.html': '',
      'apps/shop/vite.config.ts': "export default defineConfig({ build: { outDir: '../../dist/apps/shop' } })",
    },
    frontend: { path: '.', buildCommand: 'pnpm exec nx build shop', outputDirectory: 'dist/apps/shop' },
  },
  {
    name: 'Nx with project.json: an Angular site and a Node server, no end-to-end project',
    files: {
      'package.json': pkg({ devDependencies: { nx: '20' } }),
      'nx.json': '{}',
      'package-lock.json': '{}',
      'apps/site/project.json': JSON.stringify({
        name: 'site',
        projectType: 'application',
        targets: {
          build: { executor: '@angular-devkit/build-angular:application', options: { outputPath: 'dist/apps/site' } },
        },
      }),
      'apps/site/src/index.html': '',
      'apps/site-e2e/project.json': JSON.stringify({ name: 'site-e2e', projectType: 'application' }),
      'apps/api/project.json': JSON.stringify({
        name: 'api',
        projectType: 'application',
        targets: {
          build: { executor: '@nx/webpack:webpack', options: { target: 'node', outputPath: 'dist/apps/api' } },
        },
      }),
      'libs/shared/project.json': JSON.stringify({ name: 'shared', projectType: 'library' }),
    },
    frontend: {
      path: '.',
      framework: 'angular',
      buildCommand: 'npx nx build site',
      outputDirectory: 'dist/apps/site/browser',
    },
    backend: { path: '.', buildCommand: 'npx nx build api', startCommand: 'node dist/apps/api/main.js' },
  },
  {
    name: 'workspace packages that are needed are built first, in order',
    files: {
      'package.json': pkg({ workspaces: ['apps/*', 'packages/*'] }),
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web', dependencies: { '@r/ui': '*' } }),
      'packages/ui/package.json': pkg({ name: '@r/ui', scripts: { build: 'tsc' }, dependencies: { '@r/core': '*' } }),
      'packages/core/package.json': pkg({ name: '@r/core', scripts: { build: 'tsc' } }),
      'packages/icons/package.json': pkg({ name: '@r/icons', scripts: { build: 'tsc' } }),
    },
    frontend: {
      buildCommand:
        '(cd ../../packages/core && npm run build) && (cd ../../packages/ui && npm run build) && npm run build',
    },
  },
  {
    name: 'workspace packages that need no build add nothing',
    files: {
      'package.json': pkg({ workspaces: ['apps/*', 'packages/*'] }),
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web', dependencies: { '@r/ui': '*' } }),
      'packages/ui/package.json': pkg({ name: '@r/ui' }),
    },
    frontend: { buildCommand: 'npm run build' },
  },
  {
    name: 'workspace packages that need each other',
    files: {
      'package.json': pkg({ workspaces: ['apps/*', 'p/*'] }),
      'package-lock.json': '{}',
      ...site('apps/web', { name: 'web', dependencies: { a: '*' } }),
      'p/a/package.json': pkg({ name: 'a', scripts: { build: 'x' }, dependencies: { b: '*' } }),
      'p/b/package.json': pkg({ name: 'b', scripts: { build: 'x' }, dependencies: { a: '*', web: '*' } }),
    },
    frontend: { buildCommand: '(cd ../../p/b && npm run build) && (cd ../../p/a && npm run build) && npm run build' },
  },
  {
    name: 'output above the package moves the plan up',
    files: {
      'package.json': pkg({ workspaces: ['apps/*'] }),
      'package-lock.json': '{}',
      ...site('apps/web', { scripts: { build: 'vite build --outDir ../../dist/web' } }),
    },
    frontend: { path: '.', outputDirectory: 'dist/web', buildCommand: "cd 'apps/web' && npm run build" },
  },
  {
    name: 'output above the repository is an error',
    files: vite({ scripts: { build: 'vite build --outDir ../out' } }),
    error: { code: 'NOTHING_TO_DEPLOY', says: /outside of the repository/ },
  },
  {
    name: 'apps/web before apps/docs and apps/admin',
    files: { ...site('apps/docs'), ...site('apps/admin'), ...site('apps/web') },
    frontend: { path: 'apps/web' },
  },
  {
    name: 'an example is not the app',
    files: { ...site('examples/basic'), ...site('site') },
    frontend: { path: 'site' },
  },
  {
    name: 'nothing but examples is no deployment unasked',
    files: { ...site('examples/basic') },
    error: { code: 'NOTHING_TO_DEPLOY', says: /examples\/basic/ },
  },
  {
    name: 'an example that is named is deployed',
    files: { ...site('examples/basic') },
    request: { frontend: { path: 'examples/basic' } },
    frontend: { path: 'examples/basic' },
  },
  {
    name: 'path: only what lies below',
    files: { ...site('shop/web'), ...site('blog/web') },
    request: { path: 'shop' },
    frontend: { path: 'shop/web' },
  },
  {
    name: 'path: manifests above still count',
    files: {
      'package.json': pkg({ workspaces: ['shop/*'] }),
      '.nvmrc': '22',
      'yarn.lock': '# yarn lockfile v1\n',
      ...site('shop/web'),
    },
    request: { path: 'shop/web' },
    frontend: { path: 'shop/web', installPath: '.', nodeVersion: 22 },
  },
  {
    name: 'path with a slash at its end',
    files: { ...site('shop') },
    request: { path: './shop/' },
    frontend: { path: 'shop' },
  },
  {
    name: 'path that does not exist',
    files: vite(),
    request: { path: 'nowhere' },
    error: { code: 'PATH_NOT_FOUND', says: /"nowhere"/ },
  },
  {
    name: 'frontend.path that does not exist',
    files: vite(),
    request: { frontend: { path: 'web' } },
    error: { code: 'PATH_NOT_FOUND', says: /"web"/ },
  },
  {
    name: 'frontend.path that is a file',
    files: vite(),
    request: { frontend: { path: 'index.html' } },
    error: { code: 'PATH_NOT_FOUND' },
  },
  {
    name: 'backend.path that does not exist',
    files: { ...service('api') },
    request: { backend: { path: 'server' } },
    error: { code: 'PATH_NOT_FOUND' },
  },
  {
    name: 'frontend.path wins over the ranking',
    files: { ...site('apps/web'), ...site('apps/admin') },
    request: { frontend: { path: 'apps/admin' } },
    frontend: { path: 'apps/admin' },
    because: [['path', undefined]],
  },
  {
    name: 'frontend: false',
    files: { ...site('frontend'), ...service('backend') },
    request: { frontend: false },
    frontend: null,
    backend: { path: 'backend' },
  },
  {
    name: 'backend: false',
    files: { ...site('frontend'), ...service('backend') },
    request: { backend: false },
    frontend: { path: 'frontend' },
    backend: null,
  },
  {
    name: 'both false',
    files: { ...site('frontend') },
    request: { frontend: false, backend: false },
    error: { code: 'NOTHING_TO_DEPLOY', says: /both "frontend" and "backend" are false/ },
  },
  {
    name: 'both false, of a site that is rendered on a server',
    files: { 'package.json': pkg({ scripts: { build: 'next build' }, dependencies: { next: '15' } }) },
    request: { frontend: false, backend: false },
    error: { code: 'NOTHING_TO_DEPLOY', says: /both "frontend" and "backend" are false/ },
  },
  {
    name: 'only a backend, and it is not wanted',
    files: { ...service('backend') },
    request: { backend: false },
    error: { code: 'NOTHING_TO_DEPLOY', says: /backend: depends on express/ },
  },
  {
    name: 'a package without a known framework that is named',
    files: { 'odd/package.json': pkg({ scripts: { build: 'make' } }) },
    request: { frontend: { path: 'odd', outputDirectory: 'site' } },
    frontend: { path: 'odd', framework: null, buildCommand: 'npm run build', outputDirectory: 'site' },
  },
  {
    name: 'Next.js beside an API: the API is the backend, and the plan says why the site is not there',
    files: {
      'apps/web/package.json': pkg({ scripts: { build: 'next build' }, dependencies: { next: '15' } }),
      ...service('apps/api'),
    },
    frontend: null,
    backend: { path: 'apps/api', framework: 'express' },
    warns: [/"apps\/web" \(nextjs\) renders on a server, and the backend of this deployment is "apps\/api"/],
  },
  {
    name: 'Next.js beside its documentation: the documentation does not take its place',
    files: {
      'apps/web/package.json': pkg({ scripts: { build: 'next build' }, dependencies: { next: '15' } }),
      'apps/docs/package.json': pkg({ scripts: { build: 'vitepress build' }, dependencies: { vitepress: '1' } }),
    },
    frontend: null,
    backend: { path: 'apps/web' },
    warns: [/"apps\/docs" could be published/],
  },
  {
    name: 'Next.js beside its documentation, which is named',
    files: {
      'apps/web/package.json': pkg({ scripts: { build: 'next build' }, dependencies: { next: '15' } }),
      'apps/docs/package.json': pkg({ scripts: { build: 'vitepress build' }, dependencies: { vitepress: '1' } }),
    },
    request: { frontend: { path: 'apps/docs' } },
    frontend: { path: 'apps/docs' },
  },
  {
    name: 'a committed node_modules is not looked at',
    files: { ...vite(), 'node_modules/express/package.json': api(), 'node_modules/express/index.js': '' },
    frontend: { path: '.' },
  },
  {
    name: 'a React Native app is neither',
    files: {
      'package.json': pkg({ scripts: { start: 'expo start' }, dependencies: { expo: '52', 'react-native': '0.76' } }),
    },
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
];
