import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleBuilder } from '../../builder-images/bundle.ts';
import { ISOLATED_DROPS } from '../../contract/builders.ts';
import { type Files, repository } from '../builder-images/harness.ts';
import type { Container } from '../support/container.ts';
import { type BuildOptions, INIT, KanikoWorld, kanikoOf } from './kanikoWorld.ts';

export interface OwnBuildOptions extends Partial<BuildOptions> {
  readonly dockerfile?: string;
  /** The program of the second container, in place of the image's own. */
  readonly isolated?: readonly string[];
}

/**
 * A task with two containers as the task definition has it: each with its own root directory, mounts, processes and message
 * queues, one network, and a folder that only the first can write.
 */
export class DockerfileWorld extends KanikoWorld {
  #builds = 0;
  isolatedBundle = '';

  override async start(): Promise<this> {
    await super.start();
    this.isolatedBundle = join(this.dir, 'image/kaniko/veren/build-image-backend/dist/isolated.mjs');
    await bundleBuilder('isolated', this.isolatedBundle);
    return this;
  }

  /** Starts the container that builds, with the environment that its image gives and nothing else. */
  isolated(channel: string, argv: readonly string[] = ['/kaniko/bin/node', '--no-warnings', ISOLATED]): Container {
    return this.container({
      argv: ['/bin/sh', '-c', INIT, 'init', ...argv],
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        VEREN_CHANNEL: '/kaniko/channel',
        VEREN_KANIKO: '/kaniko/executor',
        VEREN_WORKDIR: '/kaniko/work',
        VEREN_KANIKO_FLAGS: kanikoOf(this.home).flags,
        VEREN_REGISTRY_MIRRORS: this.registry,
        VEREN_INSECURE_REGISTRIES: this.registry,
      },
      lower: [join(this.dir, 'image'), join(this.home, 'root')],
      readOnlyBinds: { '/kaniko/channel': channel },
      drop: ISOLATED_DROPS.map((name) => name.toLowerCase()),
    });
  }

  /** Builds a repository with a Dockerfile of its own. */
  async buildOwn(files: Files, options: OwnBuildOptions = {}) {
    const name = options.projectId ?? `own${++this.#builds}`;
    const repo = repository(join(this.world.dir, `${name}-${++this.#builds}`), files);
    const channel = join(this.dir, `channel-${this.#builds}`);
    mkdirSync(channel, { mode: 0o755 });
    const second = this.isolated(channel, options.isolated);
    const changed = join(this.dir, `changed-${this.#builds}`);
    const built = await this.build({
      ...repo,
      ...options,
      projectId: name,
      changed,
      binds: { '/kaniko/channel': channel },
      env: {
        INSTALLCOMMAND: '',
        STARTCOMMAND: '',
        RUNTIME: 'docker',
        DOCKERFILE: options.dockerfile ?? 'Dockerfile',
        VEREN_CHANNEL: '/kaniko/channel',
        ...options.env,
      },
    });
    // The end of an essential container ends the task.
    try {
      process.kill(-second.child.pid!, 'SIGKILL');
    } catch {} // it has ended by itself
    const isolated = await second.ended;
    return { ...built, isolated, channel, changes: readFileSync(changed, 'utf8').split('\n').filter(Boolean) };
  }

  /** A file of a built image. */
  fileOf(tag: string, path: string): string {
    const { root } = this.pull(tag);
    return readFileSync(join(root, path), 'latin1');
  }

  /** Digests of all blobs of the users' repository. */
  blobs(): string[] {
    const folder = join(this.dir, 'registry/docker/registry/v2/blobs/sha256');
    return execFileSync('find', [folder, '-name', 'data'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  }
}

const ISOLATED = '/kaniko/veren/build-image-backend/dist/isolated.mjs';
