import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka } from 'kafkajs';
import { BUILDERS, builderFor } from '../../contract/builders.ts';
import { TOPICS } from '../../contract/names.ts';
import type { NodeMajor } from '../../contract/node-lines.ts';
import { commitAll, deploymentId, type Files, git, ROOT, repository, World } from '../builder-images/harness.ts';
import { Containers } from '../support/container.ts';
import { onPath } from '../support/engines.ts';
import { type GitServer, startGitServer } from '../support/gitServer.ts';
import { anyKafka, group, type KafkaEngine } from '../support/kafka.ts';

const HOME = process.env.FRONTEND_IMAGES_HOME;
const folderOf = (major: number) => join(HOME!, 'images', String(major));

/** Every Node line that has an image. */
export const FRONTEND_MAJORS = BUILDERS.filter((b) => b.target === 'frontend').flatMap((b) => [...b.nodeMajors]);

/** What .ci/frontend-images.sh has prepared; null with the reason where a test cannot have it. */
export const imagesMissing = ((): string | null => {
  if (process.getuid?.() !== 0) return 'needs root, for root directories of its own';
  for (const program of ['unshare', 'chroot', 'setpriv'])
    if (onPath(program) === null) return `${program} was not found on PATH`;
  if (!HOME) return 'FRONTEND_IMAGES_HOME is not set: run .ci/frontend-images.sh <folder>';
  return FRONTEND_MAJORS.some((major) => !existsSync(join(folderOf(major), 'id')))
    ? `${HOME} was not prepared by .ci/frontend-images.sh`
    : null;
})();

/** The exact version that an image's Dockerfile names. */
export function pinnedNode(major: NodeMajor): string {
  const { dockerfile } = builderFor('frontend', major);
  const text = readFileSync(join(ROOT, 'builder-images', dockerfile), 'utf8');
  return /^ARG USER_NODE=node:([\d.]+)-/m.exec(text)![1]!;
}

/** The exact version of a generator that the image's own file names. */
export function pinnedGenerator(name: 'hugo' | 'mkdocs'): string {
  const file = join(ROOT, 'builder-images/builder-image-frontend/dockerfiles/generators', `${name}.txt`);
  return new RegExp(`^${name}==([\\d.]+)`, 'm').exec(readFileSync(file, 'utf8'))![1]!;
}

interface Repository {
  readonly projectId: string;
  readonly url: string;
  readonly commit: string;
}

/** The images, a git host, S3 and a real broker; what the builders tell it is read back by a consumer. */
export class FrontendImagesWorld {
  readonly #world: World;
  readonly #containers: Containers;
  readonly #kafka: KafkaEngine;
  readonly #git: GitServer;
  readonly #stopReading: () => Promise<void>;
  #count = 0;

  private constructor(world: World, kafka: KafkaEngine, gitServer: GitServer, stopReading: () => Promise<void>) {
    this.#world = world;
    this.#kafka = kafka;
    this.#git = gitServer;
    this.#stopReading = stopReading;
    this.#containers = new Containers(world.dir);
  }

  static async start(): Promise<FrontendImagesWorld> {
    const world = await new World('').start();
    const [kafka, gitServer] = await Promise.all([anyKafka(), startGitServer({ repos: world.dir })]);
    return new FrontendImagesWorld(world, kafka, gitServer, await readInto(world, kafka.brokers));
  }

  async close(): Promise<void> {
    this.#containers.killAll();
    await this.#stopReading();
    await this.#git.close();
    await this.#kafka.stop();
    await this.#world.close();
  }

  repository(files: Files): Repository {
    const projectId = `site-${++this.#count}`;
    const { commit } = repository(join(this.#world.dir, projectId), files);
    return { projectId, url: `${this.#git.url}/${projectId}`, commit };
  }

  example(name: string): Repository {
    const projectId = `site-${++this.#count}`;
    const folder = join(this.#world.dir, projectId);
    cpSync(join(ROOT, 'examples', name), folder, {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|dist)$/.test(path),
    });
    git(folder, 'init', '--quiet');
    return { projectId, url: `${this.#git.url}/${projectId}`, commit: commitAll(folder, {}) };
  }

  readonly root = (major: number) => join(folderOf(major), 'root');

  /** What a shell says in the image's file system. */
  inside(major: number, script: string): string {
    return execFileSync('chroot', [this.root(major), '/bin/sh', '-c', script], { encoding: 'utf8' }).trim();
  }

  /** Runs the image as a task would: its entrypoint, its environment under RunTask's overrides. */
  async build(major: number, repo: Repository, overrides: Readonly<Record<string, string>>) {
    const { Env, Entrypoint } = JSON.parse(readFileSync(join(folderOf(major), 'config.json'), 'utf8')) as {
      Env: string[];
      Entrypoint: string[];
    };
    const id = deploymentId();
    // What the harness gives on the image's behalf is the image's to give here.
    const isImages = (name: string) => name === 'PATH' || name === 'HOME' || name.startsWith('VEREN_');
    const task = Object.entries(this.#world.environment({ ...repo, deploymentId: id }));
    const env = {
      ...Object.fromEntries(Env.map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)])),
      ...Object.fromEntries(task.filter(([name]) => !isImages(name))),
      NODE_VERSION: String(major),
      KAFKA_BROKERS: this.#kafka.brokers,
      ...overrides,
    };
    const { ended } = this.#containers.start({ argv: Entrypoint, env, lower: [this.root(major)] });
    const { code, output } = await ended;
    await this.#told(id);
    return { id, code, output, ...this.#world.told(id) };
  }

  /** Resolves when the last event has been read, with all lines that it counts. */
  async #told(id: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const { last, lines } = this.#world.told(id);
      const ended = last && 'logLines' in last ? last.logLines : undefined;
      if (ended !== undefined && new Set(lines.map((line) => line.n)).size >= ended) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async page(projectId: string, path: string): Promise<string> {
    return (await this.#world.page(projectId, path)).text;
  }
}

/** Reads all topics of a broker into the world's lists. */
async function readInto(world: World, brokers: string): Promise<() => Promise<void>> {
  const kafka = new Kafka({ clientId: 'test', brokers: brokers.split(','), logLevel: 0 });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: Object.values(TOPICS).map((topic) => ({ topic })) });
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: group() });
  await consumer.connect();
  await consumer.subscribe({ topics: Object.values(TOPICS), fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
  await consumer.run({
    eachMessage: async ({ topic, message }) => world.take(topic, JSON.parse(String(message.value))),
  });
  await joined;
  return () => consumer.disconnect();
}
