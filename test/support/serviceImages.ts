import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreateDeployment } from '../../contract/api.ts';
import { type Files, repository } from '../builder-images/harness.ts';
import { onPath } from './engines.ts';
import { freePort } from './freePort.ts';
import { startVeren, temporaryFolder, type Veren } from './veren.ts';

/** Why services cannot be built and run in containers here; null where they can. */
export function missingServiceImages(): string | null {
  if (process.getuid?.() !== 0) return 'needs root, for a root directory of its own';
  for (const program of ['buildah', 'docker-registry', 'unshare', 'chroot'])
    if (onPath(program) === null) return `${program} was not found on PATH`;
  const home = process.env.KANIKO_HOME;
  if (!home) return 'KANIKO_HOME is not set: run .ci/kaniko.sh <folder>';
  return existsSync(join(home, 'registry')) ? null : `${home} was not prepared by .ci/kaniko.sh`;
}

/** What a container starts with: its own processes and mounts, the host's network, the image's user. */
const RUN = `set -e
mount --make-rprivate /
root=$(buildah mount "$1"); folder=$2; user=$3; shift 3
mount -t proc proc "$root/proc"
for device in null zero urandom; do [ -e "$root/dev/$device" ] || : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
exec chroot --userspec="$user" "$root" /usr/bin/env -i "$@"`;

export interface Running {
  /** Of the service, on a loopback address that is not localhost's own: what listens on localhost alone does not answer. */
  readonly url: string;
  readonly output: () => string;
  /** SIGTERM to process 1. */
  stop(): Promise<{ code: number | null; ms: number }>;
}

/** Stand-ins for Node's images in a registry, a storage of its own for buildah, and a way to run what it has built. */
export class ServiceImages {
  readonly #dir = mkdtempSync(join(tmpdir(), 'veren-services-'));
  #registry: ChildProcess | undefined;
  #environment: Record<string, string> = {};
  #count = 0;

  /** For the platform: the engine's settings, as a person would have exported them. */
  get environment(): Readonly<Record<string, string>> {
    return this.#environment;
  }

  async start(): Promise<this> {
    const port = await freePort();
    const file = (name: string, text: string) => {
      writeFileSync(join(this.#dir, name), text);
      return join(this.#dir, name);
    };
    execFileSync('cp', ['-al', join(process.env.KANIKO_HOME!, 'registry'), join(this.#dir, 'registry')]);
    const registry = file(
      'registry.yml',
      JSON.stringify({
        version: 0.1,
        storage: { filesystem: { rootdirectory: join(this.#dir, 'registry') } },
        http: { addr: `127.0.0.1:${port}` },
        log: { level: 'error' },
      }),
    );
    this.#registry = spawn('docker-registry', ['serve', registry], { stdio: 'ignore' });
    const mirror = `[[registry.mirror]]\nlocation = "127.0.0.1:${port}"\ninsecure = true\n`;
    const folders = `runroot = "${this.#dir}/run"\ngraphroot = "${this.#dir}/storage"\n`;
    this.#environment = {
      CONTAINERS_REGISTRIES_CONF: file(
        'registries.conf',
        `unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n${mirror}`,
      ),
      CONTAINERS_STORAGE_CONF: file('storage.conf', `[storage]\ndriver = "overlay"\n${folders}`),
      BUILDAH_ISOLATION: 'chroot',
      VEREN_CONTAINER_ENGINE: 'buildah',
      // Nothing answers there: of the engines of this machine buildah alone is asked.
      DOCKER_HOST: `unix://${this.#dir}/no-docker.sock`,
      CONTAINER_HOST: `unix://${this.#dir}/no-podman.sock`,
    };
    for (let i = 0; i < 100; i++) {
      const up = await fetch(`http://127.0.0.1:${port}/v2/`).then(
        (r) => r.ok,
        () => false,
      );
      if (up) break;
      await sleep(50);
    }
    return this;
  }

  #buildah(...args: string[]): string {
    const env = { ...process.env, ...this.#environment };
    return execFileSync('buildah', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  /** Runs an image with its own command until it answers over HTTP. */
  async run(image: string, given: Readonly<Record<string, string>> = {}): Promise<Running> {
    const container = this.#buildah('from', '--name', `c${++this.#count}`, image);
    const { OCIv1 } = JSON.parse(this.#buildah('inspect', container)) as {
      OCIv1: { config: { Env: string[]; Entrypoint: string[]; Cmd: string[]; User: string; WorkingDir: string } };
    };
    const { Env, Entrypoint, Cmd, User, WorkingDir } = OCIv1.config;
    const port = await freePort();
    const variables = [
      ...Env,
      'HOME=/home/node',
      `PORT=${port}`,
      ...Object.entries(given).map(([k, v]) => `${k}=${v}`),
    ];
    const inside = [...variables, '/bin/sh', '-c', `cd '${WorkingDir}' && exec "$@"`, 'sh', ...Entrypoint, ...Cmd];
    const isolated = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'];
    const child = spawn('unshare', [...isolated, 'sh', '-c', RUN, 'run', container, WorkingDir, User, ...inside], {
      env: { PATH: process.env.PATH, ...this.#environment },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)));
    const url = `http://127.0.0.2:${port}/`;
    for (let i = 0; child.exitCode === null; i++) {
      if (await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null)) break;
      if (i === 300) child.kill('SIGKILL');
      await sleep(100);
    }
    if (child.exitCode !== null) throw new Error(`the service does not answer: ${output}`);
    return {
      url,
      output: () => output,
      stop: async () => {
        const started = performance.now();
        const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0];
        process.kill(Number(first), 'SIGTERM');
        const code = await ended;
        return { code, ms: performance.now() - started };
      },
    };
  }

  close(): void {
    this.#registry?.kill();
    try {
      this.#buildah('umount', '--all');
      execFileSync('umount', [join(this.#dir, 'storage/overlay')], { stdio: 'ignore' });
    } catch {} // nothing was mounted
    // A build that failed leaves its mounts.
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.#dir}/`)).reverse())
      execFileSync('umount', ['--lazy', mount]);
    execFileSync('rm', ['-rf', this.#dir]);
  }
}

/** A platform that builds backends with these images, for the tests of a `describe`. */
export function useServices() {
  let images: ServiceImages;
  let veren: Veren;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const running: Running[] = [];
  beforeAll(async () => {
    folder = await temporaryFolder();
    images = await new ServiceImages().start();
    veren = await startVeren(join(folder.path, 'data'), images.environment);
  }, 60_000);
  afterAll(async () => {
    for (const service of running) await service.stop();
    await veren?.stop();
    images?.close();
    await folder?.remove();
  }, 240_000);

  /** Deploys a repository by HTTP. */
  async function deploy(name: string, files: Files, request: Partial<CreateDeployment> = {}) {
    const { url } = repository(join(folder.path, name), files);
    const record = await veren.deploy({ projectId: name, gitUrl: url, ...request });
    const log = (await veren.logs(record.deploymentId)).map(({ line }) => line).join('\n');
    return { record, log };
  }

  /** The same, and starts its image; `answer` is what it says to a browser. */
  async function serve(name: string, files: Files, request: Partial<CreateDeployment> = {}) {
    const { record, log } = await deploy(name, files, request);
    const artifact = record.builds.backend?.artifact;
    if (artifact?.kind !== 'image') throw new Error(`${JSON.stringify(record.builds.backend)}\n${log}`);
    const service = await images.run(artifact.uri);
    running.push(service);
    const answer = await (await fetch(service.url)).text();
    /** Stops it before the others. */
    const stop = () => {
      running.splice(running.indexOf(service), 1);
      return service.stop();
    };
    return { record, log, service, answer, stop };
  }
  return { deploy, serve };
}
