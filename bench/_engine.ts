import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../test/support/engines.ts';

const execute = promisify(execFile);
const START_MS = 60_000;

/** Why there can be no engine here; null where there can be one. */
export const engineMissing = ((): string | null => {
  if (process.getuid?.() !== 0) return 'needs root, for a Docker engine';
  for (const program of ['dockerd', 'docker', 'buildah', 'unshare'])
    if (onPath(program) === null) return `${program} was not found on PATH (Debian: docker.io, buildah)`;
  return null;
})();

/** A container that has said something. */
interface Started {
  readonly name: string;
  /** Milliseconds from the engine's own time of its start to `at`. */
  msUntil(at: number): Promise<number>;
}

/** A Docker engine of its own below a folder: it has no bridge and adds no rule to the machine's firewall. */
export class DockerEngine {
  readonly #env: NodeJS.ProcessEnv;
  readonly #daemon: ChildProcess;
  #count = 0;

  private constructor(env: NodeJS.ProcessEnv, daemon: ChildProcess) {
    this.#env = env;
    this.#daemon = daemon;
  }

  static async start(folder: string): Promise<DockerEngine> {
    const socket = `unix://${join(folder, 'docker.sock')}`;
    const places = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')];
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-masq=false'];
    const output = openSync(join(folder, 'engine.log'), 'w');
    const options = [...places, '--pidfile', join(folder, 'pid'), '--host', socket, ...network];
    // What it mounts ends with the namespace.
    const daemon = spawn('unshare', ['--mount', 'dockerd', ...options], { stdio: ['ignore', output, output] });
    const engine = new DockerEngine({ PATH: process.env.PATH, HOME: folder, DOCKER_HOST: socket }, daemon);
    const until = Date.now() + START_MS;
    for (;;) {
      if (await engine.docker('version').catch(() => null)) return engine;
      if (Date.now() > until || daemon.exitCode !== null)
        throw new Error(`dockerd does not start: see ${join(folder, 'engine.log')}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async docker(...args: string[]): Promise<string> {
    return (await execute('docker', args, { env: this.#env, maxBuffer: 1e8 })).stdout.trim();
  }

  /** Starts a container in the background. `args` are those of `docker run` from its options on. */
  async run(args: readonly string[]): Promise<Started> {
    const name = `bench-${++this.#count}`;
    await this.docker('run', '--detach', '--name', name, ...args);
    return this.#started(name);
  }

  /** Milliseconds from a container's start to the first thing that it prints; then it is removed. */
  async firstOutput(args: readonly string[]): Promise<number> {
    const name = `bench-${++this.#count}`;
    const child = spawn('docker', ['run', '--name', name, ...args], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const at = await new Promise<number>((resolve, reject) => {
      child.stdout.once('data', () => resolve(Date.now()));
      child.once('close', () => reject(new Error(`${args.join(' ')} printed nothing: ${said}`)));
    });
    const ms = await this.#started(name).msUntil(at);
    await this.remove(name);
    return ms;
  }

  async remove(name: string): Promise<void> {
    await this.docker('rm', '--force', name);
  }

  #started(name: string): Started {
    return {
      name,
      msUntil: async (at) => at - Date.parse(await this.docker('inspect', '--format', '{{.State.StartedAt}}', name)),
    };
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#daemon.once('close', resolve));
    const names = (await this.docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    if (names.length > 0) await this.docker('rm', '--force', ...names);
    if (this.#daemon.exitCode === null) {
      this.#daemon.kill();
      await ended;
    }
  }
}
