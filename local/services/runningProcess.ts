import { setTimeout as sleep } from 'node:timers/promises';
import type { Masker } from '../../builder-images/shared/masker.ts';
import { type RunningProgram, signalGroup } from '../../builder-images/shared/processes.ts';
import type { Sandbox } from '../../builder-images/shared/sandbox.ts';
import { familyOf, identifyProcess, processTable } from '../ecs/processes.ts';
import { GRACE_MS, type RunningService } from './launch.ts';
import { type LoopbackHost, listeningPorts, ownsListener } from './listening.ts';
import { memoryOf } from './memory.ts';
import { describeEnd, type OnLine, ServiceOutput } from './serviceOutput.ts';

const MEMORY_LOOK_MS = 1_000;
/** Output that somebody else holds open is read for so long. */
const OUTPUT_MS = 1_000;

interface ProcessInput {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly memoryMb: number;
  readonly mask: Masker;
  readonly onLine: OnLine;
}

/** One process of a service, with its children. */
export class RunningProcess implements RunningService {
  readonly #input: ProcessInput;
  readonly #program: RunningProgram;
  readonly #output: ServiceOutput;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;
  #excess: string | undefined;
  readonly ended: Promise<string | null>;
  readonly exited: Promise<void>;

  constructor(input: ProcessInput) {
    this.#input = input;
    this.#program = input.sandbox.start({ argv: input.argv, cwd: input.cwd, env: input.env });
    this.#output = new ServiceOutput(this.#program, input.mask, input.onLine);
    this.#watchMemory();
    this.exited = this.#program.ended.then(() => undefined);
    this.ended = this.#program.ended.then(async ({ exitCode, error }) => {
      clearTimeout(this.#watch);
      await this.#killAll();
      // What it has written is read to the end, unless somebody else has the pipe open.
      await Promise.race([this.#output.end(), sleep(OUTPUT_MS, undefined, { ref: false })]);
      if (this.#stopped) return null;
      return this.#excess ?? error?.message ?? describeEnd(exitCode);
    });
  }

  get lastLines(): readonly string[] {
    return this.#output.lastLines;
  }

  async listening(): Promise<string[] | null> {
    return (await listeningPorts(await this.#family()))?.map(String) ?? null;
  }

  ownsListener(host: LoopbackHost, port: number): Promise<boolean> {
    return ownsListener(host, port, { uid: this.#input.sandbox.uid, pids: () => this.#family() });
  }

  async stop(graceMs = GRACE_MS): Promise<void> {
    this.#stopped = true;
    const { pid } = this.#program;
    if (pid !== undefined) signalGroup(pid, 'SIGTERM');
    const late = setTimeout(() => void this.#killAll(), graceMs);
    await this.ended;
    clearTimeout(late);
  }

  async #killAll(): Promise<void> {
    const { pid } = this.#program;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    await this.#input.sandbox.killAll().catch(() => undefined);
  }

  #watchMemory(): void {
    this.#watch = setTimeout(async () => {
      const used = await memoryOf(await this.#family(), this.#input.sandbox.uid).catch(() => null);
      const limit = this.#input.memoryMb * 1_024 * 1_024;
      if (used !== null && used > limit) {
        this.#excess = `it used more than ${this.#input.memoryMb} MB of memory`;
        await this.#killAll();
      } else if (!this.#stopped) this.#watchMemory();
    }, MEMORY_LOOK_MS);
    this.#watch.unref();
  }

  async #family(): Promise<number[]> {
    const { pid } = this.#program;
    if (pid === undefined) return [];
    const table = await processTable();
    return familyOf(table, identifyProcess(pid, {}), new Map()).map((info) => info.pid);
  }
}
