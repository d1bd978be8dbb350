import { type Case, pkg } from './case.ts';

const starts = (fields: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>> = {}) => ({
  'package.json': pkg({ private: true, ...fields }),
  ...files,
});
const express = { dependencies: { express: '^5' } };
const is = (framework: string | null, startCommand: string, rest: Readonly<Record<string, unknown>> = {}) => ({
  frontend: null,
  backend: { path: '.', framework, startCommand, ...rest },
});
const known = (dependency: string, slug: string): Case => ({
  name: `${slug} by its package`,
  files: starts({ scripts: { start: 'node server.js' }, dependencies: { [dependency]: '1' } }, { 'server.js': '' }),
  ...is(slug, 'npm start', { buildCommand: null, port: 3000 }),
});

export const backendCases: readonly Case[] = [
  known('express', 'express'),
  known('fastify', 'fastify'),
  known('koa', 'koa'),
  known('hono', 'hono'),
  known('@hapi/hapi', 'hapi'),
  known('elysia', 'elysia'),
  known('@apollo/server', 'apollo'),
  known('@adonisjs/core', 'adonisjs'),
  known('socket.io', 'socket.io'),
  {
    name: 'Nest: start:prod rather than nest start',
    files: starts({
      scripts: {
        build: 'nest build',
        start: 'nest start',
        'start:dev': 'nest start --watch',
        'start:prod': 'node dist/main',
      },
      dependencies: { '@nestjs/core': '11', '@nestjs/platform-express': '11', express: '5' },
    }),
    ...is('nestjs', 'npm run start:prod', { buildCommand: 'npm run build' }),
  },
  {
    name: 'Procfile wins over scripts',
    files: starts(
      { scripts: { start: 'node a.js' }, ...express },
      { Procfile: 'release: node migrate.js\nweb: node b.js --flag\nworker: node c.js\n' },
    ),
    ...is('express', 'node b.js --flag'),
    because: [['startCommand', 'Procfile']],
    follows: 'Heroku; others do not read it',
  },
  {
    name: 'Procfile with a control character in its command says nothing',
    files: starts({ scripts: { start: 'node a.js' }, ...express }, { Procfile: 'web: node b.js \u0000--flag\n' }),
    ...is('express', 'npm start'),
  },
  {
    name: 'Procfile without web says nothing',
    files: starts({ scripts: { start: 'node a.js' }, ...express }, { Procfile: 'worker: node c.js\n' }),
    ...is('express', 'npm start'),
  },
  {
    name: 'scripts.start wins over main',
    files: starts({ main: 'lib.js', scripts: { start: 'node a.js' }, ...express }, { 'lib.js': '', 'a.js': '' }),
    ...is('express', 'npm start'),
  },
  {
    name: 'a start script that watches gives way to one that does not',
    files: starts({ scripts: { start: 'nodemon index.js', 'start:prod': 'node index.js' }, ...express }),
    ...is('express', 'npm run start:prod'),
  },
  {
    name: 'a start script that watches is used where it is the only one',
    files: starts({ scripts: { start: 'nodemon index.js' }, ...express }),
    ...is('express', 'npm start'),
  },
  {
    name: 'main where there is no start script',
    files: starts({ main: './src/app.js', ...express }, { 'src/app.js': '' }),
    ...is('express', 'node src/app.js'),
    because: [['startCommand', 'package.json']],
  },
  {
    name: 'main that the build makes',
    files: starts({ main: 'dist/index.js', scripts: { build: 'tsc' }, ...express }, { 'src/index.ts': '' }),
    ...is('express', 'node dist/index.js', { buildCommand: 'npm run build' }),
  },
  {
    name: 'main that is not there: by the name of the file',
    files: starts({ main: 'index.js', ...express }, { 'server.js': '' }),
    ...is('express', 'node server.js'),
  },
  {
    name: 'index.js before server.js',
    files: starts(express, { 'server.js': '', 'index.js': '' }),
    ...is('express', 'node index.js'),
    follows: 'Railpack (index first); Heroku has server.js first',
  },
  { name: 'src/main.mjs', files: starts(express, { 'src/main.mjs': '' }), ...is('express', 'node src/main.mjs') },
  {
    name: 'TypeScript with tsx',
    files: starts({ dependencies: { express: '5' }, devDependencies: { tsx: '4' } }, { 'src/index.ts': '' }),
    ...is('express', 'npx tsx src/index.ts'),
  },
  {
    name: 'TypeScript without a runner: Node strips the types',
    files: starts(express, { 'server.ts': '' }),
    ...is('express', 'node server.ts', { nodeVersion: 24 }),
  },
  {
    name: 'TypeScript that is compiled though no script says so',
    files: starts(
      {
        scripts: { start: 'node dist/index.js' },
        dependencies: { fastify: '5' },
        devDependencies: { typescript: '5' },
      },
      { 'tsconfig.json': '{}', 'src/index.ts': '' },
    ),
    ...is('fastify', 'npm start', { buildCommand: 'npx tsc' }),
    because: [['buildCommand', 'tsconfig.json']],
  },
  {
    name: 'a plain program behind a start script',
    files: starts({ scripts: { start: 'node server.js' } }, { 'server.js': '' }),
    ...is(null, 'npm start'),
  },
  {
    name: 'a file name alone, without a server framework, is no server',
    files: starts({ dependencies: { lodash: '4' } }, { 'index.js': '' }),
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'a server framework among devDependencies is a test’s',
    files: starts({ devDependencies: { express: '5' }, scripts: { test: 'jest' } }, { 'index.js': '' }),
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'a library for Express is no server',
    files: {
      'package.json': pkg({
        name: 'express-thing',
        main: 'index.js',
        files: ['index.js'],
        peerDependencies: { express: '5' },
        dependencies: { express: '5' },
      }),
      'index.js': '',
    },
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'a start script that serves static files is no backend',
    files: starts(
      {
        scripts: { start: 'serve -s build', build: 'vite build' },
        dependencies: { serve: '14' },
        devDependencies: { vite: '7' },
      },
      { 'index.html': '' },
    ),
    frontend: { framework: 'vite' },
    backend: null,
  },
  {
    name: 'an SPA and its server in one package: both',
    files: starts(
      {
        scripts: { build: 'vite build', start: 'node server.js' },
        dependencies: { express: '5', react: '19' },
        devDependencies: { vite: '7' },
      },
      { 'index.html': '', 'server.js': '' },
    ),
    frontend: { path: '.', framework: 'vite', outputDirectory: 'dist' },
    backend: { path: '.', framework: 'express', startCommand: 'npm start' },
  },
  {
    name: 'Express with public/index.html: the page is the server’s',
    files: starts({ scripts: { start: 'node app.js' }, ...express }, { 'app.js': '', 'public/index.html': '' }),
    ...is('express', 'npm start'),
  },
  {
    name: 'the port that the start script fixes',
    files: starts({ scripts: { start: 'PORT=8080 node a.js' }, ...express }),
    ...is('express', 'npm start', { port: 8080 }),
  },
  {
    name: 'the port as an option',
    files: starts({ scripts: { start: 'node a.js --port 4000' }, ...express }),
    ...is('express', 'npm start', { port: 4000 }),
  },
  {
    name: 'the port of Next.js',
    files: starts({ scripts: { build: 'next build', start: 'next start -p 8081' }, dependencies: { next: '15' } }),
    ...is('nextjs', 'npm start', { port: 8081 }),
  },
  {
    name: 'scripts are started by the manager: yarn',
    files: { ...starts({ scripts: { start: 'node a.js' }, ...express }), 'yarn.lock': '# yarn lockfile v1\n' },
    ...is('express', 'yarn start'),
  },
  {
    name: 'scripts are started by the manager: bun',
    files: { ...starts({ scripts: { start: 'bun a.ts' }, ...express }), 'bun.lock': '' },
    ...is('express', 'bun run start'),
  },
  {
    name: 'the request’s start command wins',
    files: starts({ scripts: { start: 'node a.js' }, ...express }),
    request: { backend: { startCommand: 'node b.js' } },
    ...is('express', 'node b.js'),
    because: [['startCommand', undefined]],
  },
  {
    name: 'a named folder that nothing starts',
    files: { 'lib/package.json': pkg({ name: 'lib' }) },
    request: { backend: { path: 'lib' } },
    error: { code: 'NOTHING_TO_DEPLOY', says: /"backend\.startCommand" can/ },
  },
  {
    name: 'a named folder with the start command',
    files: { 'lib/package.json': pkg({ name: 'lib' }) },
    request: { backend: { path: 'lib', startCommand: 'node x.js' } },
    backend: { path: 'lib', framework: null, startCommand: 'node x.js' },
  },
];
