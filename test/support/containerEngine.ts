import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact } from '../../contract/record.ts';
import { temporaryFolder } from './folders.ts';

/** Why no container can be run here; null where one can: `.ci/service-images` has an engine with stand-ins for images. */
export const missingContainerEngine = (): string | null =>
  process.env.VEREN_SERVICE_ENGINE ? null : 'VEREN_SERVICE_ENGINE is not set: run .ci/service-images';

/** For the platform: the engine's address, as a person would have exported it. */
export const engineEnvironment = (): Record<string, string> => {
  const folder = process.env.VEREN_SERVICE_ENGINE!;
  return { DOCKER_HOST: `unix://${folder}/docker.sock`, DOCKER_CONFIG: join(folder, 'docker'), HOME: folder };
};

/** What the engine says. */
export const askEngine = (...args: string[]): string =>
  execFileSync('/usr/bin/docker', args, {
    encoding: 'utf8',
    env: { ...engineEnvironment(), PATH: '/usr/bin:/bin', DOCKER_BUILDKIT: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

let count = 0;

/** An image of a server of one file. */
export function buildImage(server: string, instructions: readonly string[] = ['USER node']): Artifact {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'server.js'), server);
  const dockerfile = ['FROM node:20-bullseye-slim', 'COPY server.js /', ...instructions, 'CMD ["node", "/server.js"]'];
  writeFileSync(join(folder, 'Dockerfile'), `${dockerfile.join('\n')}\n`);
  const uri = `localhost/veren-test:${process.pid}-${++count}`;
  askEngine('build', '--quiet', '--tag', uri, folder);
  return { kind: 'image', uri, digest: askEngine('image', 'inspect', '--format', '{{.Id}}', uri), bytes: 0 };
}

/** Names of containers and networks that platforms have, on this engine. */
export const leftInEngine = (): string[] =>
  [
    ...askEngine('ps', '--all', '--filter', 'label=veren.platform', '--format', '{{.Names}}').split('\n'),
    ...askEngine('network', 'ls', '--filter', 'label=veren.platform', '--format', '{{.Name}}').split('\n'),
  ].filter((name) => name !== '');
