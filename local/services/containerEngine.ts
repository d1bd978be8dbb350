import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RunningProgram, startTrusted } from '../../builder-images/shared/processes.ts';
import type { LaptopEngine } from '../platform/images.ts';

const execute = promisify(execFile);
/** A busy machine takes seconds for a container; one that takes longer than this does not answer. */
const ANSWER_MS = 60_000;
const REMOVALS = 20;
const REMOVAL_MS = 250;
/** After a container has ended, until the engine has told of its memory. */
const MEMORY_TOLD_MS = 2_000;
const MAX_OUTPUT = 4 * 1_024 * 1_024;
/** On every container and network of ours, with the platform that it is of. */
const LABEL = 'veren.platform';

/** What an engine says of a container. Sources: the manuals of `docker inspect` and `podman inspect`. */
interface ContainerState {
  readonly Pid: number;
  readonly OOMKilled: boolean;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

/** docker or podman, for the containers of one platform. */
export class ContainerEngine {
  readonly #engine: LaptopEngine;
  readonly #label: string;
  readonly #signal: AbortSignal | undefined;
  readonly #platform: string;

  /** @param signal Ends what its program is doing, and keeps it from doing anything more. */
  constructor(engine: LaptopEngine, platform: string, signal?: AbortSignal) {
    this.#engine = engine;
    this.#platform = platform;
    this.#signal = signal;
    this.#label = `${LABEL}=${platform}`;
  }

  /** The same engine for what is not wanted any more when the signal aborts. */
  until(signal: AbortSignal): ContainerEngine {
    return new ContainerEngine(this.#engine, this.#platform, signal);
  }

  /** Names that its program's own environment has. */
  get ownVariables(): ReadonlySet<string> {
    return new Set(Object.keys(this.#engine.env));
  }

  /** @param variables Further ones of the program. Throws with the engine's own words. */
  async run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await this.#run(args, variables)).toString('utf8').trim();
  }

  /** Makes a container. Throws with the engine's own words. @returns its id */
  create(args: readonly string[], variables?: Readonly<Record<string, string>>): Promise<string> {
    return this.run(['create', '--label', this.#label, '--pull', 'never', ...args], variables);
  }

  /** Starts a container; the program is alive as long as it is, and ends with its exit code. */
  start(id: string): RunningProgram {
    const { file, env } = this.#engine;
    return startTrusted({ argv: [file, 'start', '--attach', id], cwd: '/', env });
  }

  /** Null for one that is not there. */
  async inspect(container: string): Promise<ContainerState | null> {
    const told = await this.run(['inspect', '--type', 'container', '--format', '{{json .State}}', container]).catch(
      () => '',
    );
    return told === '' ? null : (JSON.parse(told) as ContainerState);
  }

  /**
   * Whether a container that has ended was ended for its memory. docker's state says so only where it has learned of that
   * before it learned of the end; an event says it in any case. Sources: `docker events`, moby's daemon/monitor.go.
   */
  async ranOutOfMemory(id: string): Promise<boolean> {
    const state = await this.inspect(id);
    if (!state || state.OOMKilled || this.#engine.kind === 'podman') return state?.OOMKilled === true;
    // By the engine's own clock, which may be another one. It answers when that time has come.
    const until = new Date(Date.parse(state.FinishedAt) + MEMORY_TOLD_MS).toISOString();
    const filter = ['--filter', `container=${id}`, '--filter', 'event=oom', '--format', '{{.Action}}'];
    return (await this.run(['events', '--since', state.StartedAt, '--until', until, ...filter])) !== '';
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.run(['stop', '--time', String(Math.ceil(graceMs / 1_000)), id]);
  }

  /**
   * With its network, its volumes and what runs in it. Throws where it is still there.
   * @param container A name means whichever container has it by now, an id that one alone.
   */
  async remove(container: string, name = container): Promise<void> {
    for (let tries = 1; ; tries++) {
      const failure = await this.run(['rm', '--force', '--volumes', container]).then(
        () => null,
        (error: Error) => error,
      );
      if (failure === null || (await this.inspect(container)) === null) break;
      if (tries === REMOVALS) throw failure;
      // Somebody else is removing it.
      await sleep(REMOVAL_MS);
    }
    if (this.#hasNetworkEach) await this.run(['network', 'rm', name]).catch(() => undefined);
  }

  /** A file of a container that need not run, as a tar archive of one member. */
  readFile(name: string, path: string): Promise<Buffer> {
    return this.#run(['cp', `${name}:${path}`, '-'], {});
  }

  /**
   * The network of a container, which is there afterwards. Nobody in it reaches another container: docker keeps those of
   * one network apart by `enable_icc`, of which it has no more than some thirty; podman keeps networks apart.
   */
  async openNetwork(container: string): Promise<string> {
    const name = this.#hasNetworkEach ? container : this.#sharedNetwork;
    const isThere = await this.run(['network', 'inspect', name]).then(
      () => true,
      () => false,
    );
    if (isThere) return name;
    const apart = this.#hasNetworkEach ? 'isolate=true' : 'com.docker.network.bridge.enable_icc=false';
    const made = ['network', 'create', '--driver', 'bridge', '--label', this.#label, '--opt', apart, name];
    await this.run(made).catch((error: Error) => {
      if (!/already (?:exists|used)/.test(error.message)) throw error;
    });
    return name;
  }

  /** Containers and networks of this platform, whoever has started them. */
  async removeAll(): Promise<void> {
    const filter = ['--filter', `label=${this.#label}`];
    const containers = await this.run(['ps', '--all', '--quiet', ...filter]);
    for (const id of containers.split('\n').filter((line) => line !== '')) await this.remove(id);
    const networks = await this.run(['network', 'ls', '--quiet', ...filter]);
    for (const id of networks.split('\n').filter((line) => line !== ''))
      await this.run(['network', 'rm', id]).catch(() => undefined);
  }

  get #hasNetworkEach(): boolean {
    return this.#engine.kind === 'podman';
  }

  get #sharedNetwork(): string {
    return `veren-${this.#platform}`;
  }

  async #run(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Buffer> {
    const { kind, file, env } = this.#engine;
    const options = {
      env: { ...variables, ...env },
      timeout: ANSWER_MS,
      maxBuffer: MAX_OUTPUT,
      cwd: '/',
      signal: this.#signal,
    };
    try {
      return (await execute(file, [...args], { ...options, encoding: 'buffer' })).stdout;
    } catch (error) {
      const { stderr, killed } = error as { stderr?: Buffer; killed?: boolean };
      const words = stderr?.toString('utf8').trim().split('\n').at(0) ?? '';
      const said = words !== '' ? words : killed ? `no answer within ${ANSWER_MS / 1_000} s` : (error as Error).message;
      throw new Error(`${kind} ${args[0]}: ${said}`, { cause: error });
    }
  }
}
