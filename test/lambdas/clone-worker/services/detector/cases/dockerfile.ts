import type { Case } from './case.ts';
import { pkg, vite } from './case.ts';

const RUST = { 'Cargo.toml': '[package]\nname = "shop"\n', 'src/main.rs': 'fn main() {}\n' };
const DOCKERFILE = 'FROM rust:1 AS build\nEXPOSE 1\nFROM debian:bookworm-slim\nEXPOSE 8080/tcp\nCMD ["/shop"]\n';
const EXPRESS = {
  'package.json': pkg({ scripts: { start: 'node index.js' }, dependencies: { express: '4' } }),
  'index.js': 'require("express")().listen(process.env.PORT)',
};
const docker = { name: 'docker' as const, version: null };
const invalid = (says: RegExp) => ({ code: 'DOCKERFILE_INVALID' as const, says });

/** Dockerfiles of a repository's own. */
export const dockerfileCases: readonly Case[] = [
  {
    name: 'nothing else is known: the Dockerfile in the root is built',
    files: { ...RUST, Dockerfile: DOCKERFILE, '.dockerignore': 'target\n' },
    frontend: null,
    backend: {
      path: '.',
      dockerfile: 'Dockerfile',
      runtime: docker,
      language: 'dockerfile',
      framework: null,
      port: 8080,
      startCommand: null,
      installCommand: null,
      nodeVersion: 24,
    },
    because: [
      ['dockerfile', 'Dockerfile'],
      ['port', 'Dockerfile'],
    ],
    warns: [],
  },
  {
    name: 'a service that is known is built as one, and the warning says how to choose the Dockerfile',
    files: { ...EXPRESS, Dockerfile: DOCKERFILE },
    backend: { framework: 'express', runtime: { name: 'node', version: '24' } },
    warns: [/Dockerfile is not used.*"backend": \{"dockerfile": "Dockerfile"\} builds it/],
  },
  {
    name: 'a Dockerfile that the request names wins over what is known',
    files: { ...EXPRESS, Dockerfile: DOCKERFILE },
    request: { backend: { dockerfile: 'Dockerfile' } },
    backend: { dockerfile: 'Dockerfile', runtime: docker, framework: null },
    because: [['dockerfile', undefined]],
    warns: [],
  },
  {
    name: 'one of veren.json, with a context above it',
    files: {
      ...EXPRESS,
      'veren.json': '{"backend": {"path": ".", "dockerfile": "docker/api.Dockerfile"}}',
      'docker/api.Dockerfile': DOCKERFILE,
    },
    backend: { path: '.', dockerfile: 'docker/api.Dockerfile' },
    because: [['dockerfile', 'veren.json']],
  },
  {
    name: 'the veren.json of a folder that is a service',
    files: {
      'api/package.json': EXPRESS['package.json'],
      'api/index.js': EXPRESS['index.js'],
      'api/veren.json': '{"backend": {"dockerfile": "Dockerfile.prod"}}',
      'api/Dockerfile.prod': DOCKERFILE,
    },
    backend: { path: 'api', dockerfile: 'Dockerfile.prod', runtime: docker },
    because: [['dockerfile', 'api/veren.json']],
  },
  {
    name: 'a site in the root: its Dockerfile is as likely what serves it',
    files: { ...vite(), Dockerfile: 'FROM nginx\nCOPY dist /usr/share/nginx/html\nEXPOSE 80\n' },
    frontend: { framework: 'vite' },
    backend: null,
    warns: [/Dockerfile is not used/],
  },
  {
    name: 'a folder that is called as backends are, beside a site',
    files: {
      'web/package.json': vite()['package.json'],
      'web/index.html': '<div id="root"></div>',
      'backend/Cargo.toml': '',
      'backend/Dockerfile': DOCKERFILE,
    },
    frontend: { path: 'web' },
    backend: { path: 'backend', dockerfile: 'Dockerfile', port: 8080 },
  },
  {
    name: 'a library with a Dockerfile for its tests is none',
    files: { 'package.json': pkg({ main: 'index.js' }), 'index.js': '', Dockerfile: 'FROM node\nRUN npm test\n' },
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'a port by a variable',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the Dockerfile
    files: { Dockerfile: 'ARG PORT=5000\nFROM a\nARG PORT\nENV OTHER=$PORT\nEXPOSE ${PORT}\n' },
    backend: { port: 5000 },
  },
  {
    name: 'several ports: the variable PORT decides',
    files: { Dockerfile: 'FROM a\nEXPOSE 80 443\n' },
    backend: { port: null },
    warns: [/EXPOSE for 80, 443: .*PORT/],
  },
  {
    name: 'settings that a Dockerfile makes useless are named',
    files: { ...EXPRESS, Dockerfile: DOCKERFILE },
    request: { backend: { dockerfile: 'Dockerfile', startCommand: 'node x.js', nodeVersion: 20 } },
    backend: { startCommand: null, nodeVersion: 24 },
    warns: [/"backend.startCommand" is not used/, /"backend.nodeVersion" is not used/],
  },
  {
    name: 'what no build here gives',
    files: {
      Dockerfile:
        '# syntax=attacker/frontend:1\nFROM a\nRUN --mount=type=cache,target=/c --mount=type=secret,id=x make\nEXPOSE 1\n',
    },
    backend: { dockerfile: 'Dockerfile' },
    warns: [/--mount=type=secret/, /attacker\/frontend:1/],
  },
  {
    name: 'one that is not there',
    files: EXPRESS,
    request: { backend: { dockerfile: 'Dockerfile' } },
    error: invalid(/no such file/),
  },
  {
    name: 'one that is a link',
    files: { ...EXPRESS, Dockerfile: { kind: 'symlink' } },
    request: { backend: { dockerfile: 'Dockerfile' } },
    error: invalid(/symbolic link/),
  },
  {
    name: 'one without FROM',
    files: { ...EXPRESS, Dockerfile: 'RUN x\n' },
    request: { backend: { dockerfile: 'Dockerfile' } },
    error: invalid(/no FROM/),
  },
  {
    name: 'a link is nothing that is found by itself',
    files: { ...RUST, Dockerfile: { kind: 'symlink' } },
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
  {
    name: 'a runtime and a Dockerfile exclude one another',
    files: { ...EXPRESS, Dockerfile: DOCKERFILE },
    request: { backend: { dockerfile: 'Dockerfile', runtime: { name: 'node' } } },
    error: invalid(/excludes/),
  },
  {
    name: 'no backend is wanted',
    files: { ...RUST, Dockerfile: DOCKERFILE },
    request: { backend: false },
    error: { code: 'NOTHING_TO_DEPLOY' },
  },
];
