import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleBuilder } from '../../builder-images/bundle.ts';
import { deploymentId, ROOT, World } from '../builder-images/harness.ts';
import { type Container, type ContainerOptions, Containers } from '../support/container.ts';
import { onPath } from '../support/engines.ts';
import { freePort } from '../support/freePort.ts';

/** What .ci/kaniko.sh has prepared; null with the reason where a test cannot have it. */
export function missingKaniko(): string | null {
  if (process.getuid?.() !== 0) return 'needs root, for a root directory of its own';
  for (const program of ['docker-registry', 'unshare', 'chroot', 'setpriv'])
    if (onPath(program) === null) return `${program} was not found on PATH`;
  const home = process.env.KANIKO_HOME;
  if (!home) return 'KANIKO_HOME is not set: run .ci/kaniko.sh <folder>';
  if (!existsSync(join(home, 'root/kaniko/executor'))) return `${home} was not prepared by .ci/kaniko.sh`;
  return null;
}

/** Go writes into a program which module it was made of: no file beside it can say something else. */
const FORK = 'github.com/osscontainertools/kaniko/cmd/executor';

/** Which Kaniko the suites run on, and what makes the archived one leave out unused stages, as the fork always does. */
export function kanikoOf(home: string): { name: string; flags: string } {
  const program = readFileSync(join(home, 'root/kaniko/executor'));
  if (program.includes(FORK)) return { name: `the fork, ${versionOf(home)}`, flags: '' };
  return { name: `the archived original, ${versionOf(home)}`, flags: '--skip-unused-stages' };
}
const versionOf = (home: string) =>
  existsSync(join(home, 'kaniko-version'))
    ? readFileSync(join(home, 'kaniko-version'), 'utf8').trim()
    : 'no version told';

/** A build takes 10 to 60 s, saving its layers two minutes at most. What goes on is stopped, as by task-watcher, and told of. */
const LATE_MS = 200_000;

/** What a container that does not end may be at: its processes and their like, and where in the kernel they wait. */
const processesOf = (pid: number) =>
  execFileSync('ps', ['-e', '--forest', '-o', 'pid,ppid,pgid,stat,etimes,wchan:24,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line, i) => i === 0 || new RegExp(`\\b${pid}\\b|script\\.mjs|kaniko|unshare|tar `).test(line))
    .join('\n');

/**
 * Process 1 as the image has it in tini: it buries the orphans of a build. Unburied they count as processes of their user, and
 * the next step can start none.
 */
export const INIT = `"$@" & child=$!
trap 'kill -TERM $child' TERM
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
exit $code`;

export interface BuildOptions {
  readonly projectId?: string;
  readonly deploymentId?: string;
  readonly url: string;
  readonly commit: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly disk?: string;
  readonly changed?: string;
  /** Further folders of the container, by their place in it. */
  readonly binds?: Readonly<Record<string, string>>;
  /** @default - LATE_MS */
  readonly lateMs?: number;
}

/** A registry with the base images, the builder's image as a root directory, and ways to run both kinds of containers. */
export class KanikoWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'veren-kaniko-'));
  readonly home = process.env.KANIKO_HOME!;
  readonly bundle = join(this.dir, 'image/kaniko/veren/build-image-backend/dist/script.mjs');
  readonly world = new World(this.bundle);
  registry = '';
  readonly #containers = new Containers(this.dir);
  #registry: ChildProcess | undefined;

  async start(): Promise<this> {
    const veren = join(this.dir, 'image/kaniko/veren');
    const images = join(ROOT, 'builder-images');
    await bundleBuilder('backend', this.bundle);
    mkdirSync(join(veren, 'shared'));
    cpSync(join(images, 'shared/handover.sh'), join(veren, 'shared/handover.sh'));
    for (const part of ['main.sh', 'dockerbackend'])
      cpSync(join(images, 'build-image-backend', part), join(veren, 'build-image-backend', part), { recursive: true });
    if (process.env.NODE_EXTRA_CA_CERTS) cpSync(process.env.NODE_EXTRA_CA_CERTS, join(veren, 'ca.pem'));
    process.stderr.write(`Kaniko: ${kanikoOf(this.home).name} ${kanikoOf(this.home).flags}\n`);
    await this.world.start();
    this.registry = await this.#startRegistry();
    return this;
  }

  async close(): Promise<void> {
    this.#containers.killAll();
    this.#registry?.kill();
    await this.world.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #startRegistry(): Promise<string> {
    const storage = join(this.dir, 'registry');
    execFileSync('cp', ['-al', join(this.home, 'registry'), storage]);
    const port = await freePort();
    const config = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: storage } },
      http: { addr: `127.0.0.1:${port}` },
      log: { level: 'error' },
    };
    writeFileSync(join(this.dir, 'registry.yml'), JSON.stringify(config));
    this.#registry = spawn('docker-registry', ['serve', join(this.dir, 'registry.yml')], { stdio: 'ignore' });
    for (let i = 0; i < 100; i++) {
      if (await fetch(`http://127.0.0.1:${port}/v2/`).then(...([(r: Response) => r.ok, () => false] as const))) break;
      await sleep(50);
    }
    return `127.0.0.1:${port}`;
  }

  container(options: ContainerOptions): Container {
    return this.#containers.start(options);
  }

  /** Starts the builder's entry point as RunTask would. */
  task(options: BuildOptions) {
    const id = options.deploymentId ?? deploymentId();
    const projectId = options.projectId ?? 'service';
    const repositories = '/kaniko/repositories';
    const job = { projectId, deploymentId: id, url: options.url, commit: options.commit };
    const given = this.world.environment(job, 'backend');
    const env: Record<string, string> = {
      ...given,
      GIT_REPOSITORY__URL: options.url.replace(`file://${this.world.dir}`, `file://${repositories}`),
      BUILD_TIMEOUT: '600',
      INSTALLCOMMAND: 'npm ci',
      STARTCOMMAND: 'npm start',
      PACKAGE_MANAGER: 'npm',
      ECR_URI: `${this.registry}/my-backend`,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      VEREN_NODE: '/kaniko/bin/node',
      VEREN_SCRIPT: '/kaniko/veren/build-image-backend/dist/script.mjs',
      VEREN_WORKDIR: '/kaniko/work',
      VEREN_TOOLS: '/kaniko/tools',
      VEREN_KANIKO: '/kaniko/executor',
      VEREN_KANIKO_FLAGS: kanikoOf(this.home).flags,
      VEREN_REGISTRY_MIRRORS: this.registry,
      VEREN_INSECURE_REGISTRIES: this.registry,
      VEREN_BUILD_UID: '10001',
      VEREN_BUILD_GID: '10001',
      ...(existsSync(join(this.dir, 'image/kaniko/veren/ca.pem')) && { NODE_EXTRA_CA_CERTS: '/kaniko/veren/ca.pem' }),
      ...options.env,
    };
    const container = this.container({
      argv: ['/bin/sh', '-c', INIT, 'init', '/kaniko/veren/build-image-backend/main.sh'],
      env,
      lower: [join(this.dir, 'image'), join(this.home, 'root')],
      binds: { [repositories]: this.world.dir, ...options.binds },
      ...(options.disk && { disk: options.disk }),
      ...(options.changed && { changed: options.changed }),
    });
    return { id, projectId, env, tag: `${projectId}-${id}`, ...container };
  }

  async build(options: BuildOptions) {
    const started = performance.now();
    const task = this.task(options);
    const late = setTimeout(() => {
      console.error(`The build ${task.tag} does not end:\n${processesOf(task.child.pid!)}`);
      this.#containers.killAll();
    }, options.lateMs ?? LATE_MS);
    const { code, output } = await task.ended;
    clearTimeout(late);
    return { ...task, code, output, ms: performance.now() - started, ...this.world.told(task.id) };
  }

  crane(...args: string[]): string {
    return execFileSync(join(this.home, 'bin/crane'), args, { encoding: 'utf8', maxBuffer: 64 * 1_024 * 1_024 }).trim();
  }
  image(tag: string): string {
    return `${this.registry}/my-backend:${tag}`;
  }

  /** Pulls an image and unpacks it; gives its configuration and its root file system. */
  pull(tag: string) {
    const root = join(this.dir, `pulled-${tag}`);
    mkdirSync(root);
    this.crane('export', '--insecure', this.image(tag), `${root}.tar`);
    execFileSync('tar', ['-C', root, '-xf', `${root}.tar`]);
    rmSync(`${root}.tar`);
    const { config } = JSON.parse(this.crane('config', '--insecure', this.image(tag))) as {
      config: {
        Env: string[];
        Entrypoint: string[];
        Cmd: string[];
        User: string;
        WorkingDir: string;
        Labels: Record<string, string>;
      };
    };
    return { root, config };
  }

  /** Runs a pulled image as a container runtime would, until its port answers. */
  async run({ root, config }: ReturnType<KanikoWorld['pull']>) {
    const port = await freePort();
    const passwd = readFileSync(join(root, 'etc/passwd'), 'utf8');
    const uid = Number(new RegExp(`^${config.User}:[^:]*:(\\d+):`, 'm').exec(passwd)?.[1]);
    const env: Record<string, string> = {
      ...Object.fromEntries(config.Env.map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)])),
      PORT: `${port}`,
    };
    const argv = ['sh', '-c', `cd ${config.WorkingDir} && exec "$@"`, 'sh', ...config.Entrypoint, ...config.Cmd];
    const container = this.container({ argv, env, root, uid });
    const url = `http://127.0.0.1:${port}/`;
    for (let i = 0; i < 200; i++) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      if (answer) return { ...container, uid, answer: { status: answer.status, body: await answer.text() } };
      await sleep(50);
    }
    process.kill(-container.child.pid!, 'SIGKILL');
    throw new Error(`nothing answers: ${(await container.ended).output}`);
  }

  /** SIGTERM to process 1 of a container, as \`docker stop\` sends it. */
  async stop({ child, ended }: Container): Promise<{ ms: number; code: number | null }> {
    const childOf = (pid: number) =>
      Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
    const started = performance.now();
    process.kill(childOf(childOf(child.pid!)), 'SIGTERM');
    const { code } = await ended;
    return { ms: performance.now() - started, code };
  }
}
