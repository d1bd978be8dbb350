import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Masker } from '../../builder-images/shared/masker.ts';
import type { RunningProgram } from '../../builder-images/shared/processes.ts';
import type { ContainerEngine } from './containerEngine.ts';
import { GRACE_MS, type RunningService } from './launch.ts';
import { type LoopbackHost, portsInNetworkOf } from './listening.ts';
import { describeEnd, type OnLine, ServiceOutput } from './serviceOutput.ts';

/** What an engine listens with for its container closes a connection sooner where nobody listens in there. */
const HELD_MS = 300;
/** Output that is still on its way when the container has ended. */
const OUTPUT_MS = 1_000;
const KILLED = 137;
/** Until a container is seen to have ended, and between removals of one that has not. */
const END_MS = 250;

interface ContainerInput {
  readonly engine: ContainerEngine;
  /** By it, since another platform may have given its name to another one by now. */
  readonly id: string;
  /** Of its network, where it has one of its own. */
  readonly name: string;
  /** Where it is to listen, inside. */
  readonly port: number;
  readonly memoryMb: number;
  readonly mask: Masker;
  readonly onLine: OnLine;
}

/** One container of a service, from its start to its removal. */
export class RunningContainer implements RunningService {
  readonly #input: ContainerInput;
  readonly #program: RunningProgram;
  readonly #output: ServiceOutput;
  #stopped = false;
  #over = false;
  #pid: number | null | undefined;
  readonly ended: Promise<string | null>;
  readonly exited: Promise<void>;

  constructor(input: ContainerInput) {
    this.#input = input;
    const { engine, id, name, mask, onLine } = input;
    this.#program = engine.start(id);
    this.#output = new ServiceOutput(this.#program, mask, onLine);
    this.exited = this.#program.ended.then(() => {
      this.#over = true;
    });
    this.ended = this.#program.ended.then(async ({ exitCode, error }) => {
      await Promise.race([this.#output.end(), sleep(OUTPUT_MS, undefined, { ref: false })]);
      const isKilled = exitCode === KILLED && !this.#stopped;
      const isExcess = isKilled && (await engine.ranOutOfMemory(id).catch(() => false));
      // Where the engine does not answer, it is removed before the next start, and after the next one of the platform.
      await engine.remove(id, name).catch(() => undefined);
      if (this.#stopped) return null;
      if (isExcess) return `it used more than ${input.memoryMb} MB of memory`;
      return error?.message ?? describeEnd(exitCode);
    });
  }

  get lastLines(): readonly string[] {
    return this.#output.lastLines;
  }

  async listening(): Promise<string[] | null> {
    const ports = await this.#ports();
    if (!ports) return null;
    return [...ports].map(([port, { outside }]) =>
      outside ? `${port}` : `${port} of its own loopback address alone, which nobody outside of its container reaches`,
    );
  }

  /** The engine listens on the port of this machine, for this container; the question is whether somebody answers in it. */
  async ownsListener(host: LoopbackHost, port: number): Promise<boolean> {
    if (this.#over || host !== '127.0.0.1') return false;
    const ports = await this.#ports();
    return ports ? ports.get(this.#input.port)?.outside === true : holdsConnection(host, port);
  }

  async stop(graceMs = GRACE_MS): Promise<void> {
    const { engine, id, name } = this.#input;
    this.#stopped = true;
    if (!this.#over) await engine.stop(id, graceMs).catch(() => undefined);
    // docker says that it has stopped what has not started yet, and starts it then.
    for (;;) {
      await Promise.race([this.exited, sleep(END_MS)]);
      if (this.#over) break;
      await engine.remove(id, name).catch(() => undefined);
    }
    await this.ended;
  }

  /** Null where the container is not in this machine's own /proc: another machine, or a virtual one. */
  async #ports() {
    if (this.#pid === undefined) this.#pid = await this.#findPid();
    return typeof this.#pid === 'number' ? portsInNetworkOf(this.#pid) : null;
  }

  /** Undefined while it starts. */
  async #findPid(): Promise<number | null | undefined> {
    const { engine, id } = this.#input;
    const state = await engine.inspect(id).catch(() => null);
    if (!state?.Pid) return undefined;
    const groups = await readFile(`/proc/${state.Pid}/cgroup`, 'utf8').catch(() => '');
    return groups.includes(id) ? state.Pid : null;
  }
}

function holdsConnection(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isHeld: boolean) => {
      resolve(isHeld);
      socket.destroy();
    };
    socket.once('connect', () => setTimeout(() => end(true), HELD_MS).unref());
    for (const event of ['error', 'end', 'close']) socket.once(event, () => end(false));
    socket.resume();
  });
}
