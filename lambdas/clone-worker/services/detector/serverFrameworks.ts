import type { Project } from './project.ts';

/** Server frameworks by the package that says so, the telling ones first: a Nest app depends on Express too. */
const FRAMEWORKS: readonly (readonly [dependency: string, slug: string])[] = [
  ['@nestjs/core', 'nestjs'],
  ['@adonisjs/core', 'adonisjs'],
  ['@strapi/strapi', 'strapi'],
  ['@feathersjs/feathers', 'feathers'],
  ['@loopback/core', 'loopback'],
  ['@redwoodjs/api', 'redwoodjs-api'],
  ['sails', 'sails'],
  ['@keystone-6/core', 'keystone'],
  ['directus', 'directus'],
  ['moleculer-web', 'moleculer'],
  ['@hapi/hapi', 'hapi'],
  ['fastify', 'fastify'],
  ['elysia', 'elysia'],
  ['hono', 'hono'],
  ['koa', 'koa'],
  ['express', 'express'],
  ['restify', 'restify'],
  ['polka', 'polka'],
  ['@tinyhttp/app', 'tinyhttp'],
  ['@apollo/server', 'apollo'],
  ['apollo-server', 'apollo'],
  ['graphql-yoga', 'graphql-yoga'],
  ['h3', 'h3'],
  ['json-server', 'json-server'],
  ['socket.io', 'socket.io'],
  ['ws', 'ws'],
];

/** Only `dependencies` count: in `devDependencies` a server framework serves a test or a mock. */
export function serverFramework(project: Project): { slug: string; dependency: string } | undefined {
  const found = FRAMEWORKS.find(([name]) => project.pkg.dependencies.has(name));
  return found && { dependency: found[0], slug: found[1] };
}
