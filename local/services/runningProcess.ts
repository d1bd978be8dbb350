import { setTimeout as sleep } from 'node:timers/promises';
import { LineSplitter } from '../../builder-images/shared/lines.ts';
import type { Masker } from '../../builder-images/shared/masker.ts';
import { type RunningProgram, signalGroup } from '../../builder-images/shared/processes.ts';
import type { Sandbox } from '../../builder-images/shared/sandbox.ts';
import { familyOf, identifyProcess, processTable } from '../ecs/processes.ts';
import { type LoopbackHost, listeningPorts, ownsListener } from './listening.ts';
import { memoryOf } from './memory.ts';

const MEMORY_LOOK_MS = 1_000;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;
const LAST_LINES = 30;
/** What a service may write in one second and have kept. */
const BUDGET = { bytes: 512 * 1_024, lines: 2_000 };
const SECOND_MS = 1_000;

export type ServiceStream = 'stdout' | 'stderr' | 'system';

interface ProcessInput {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly memoryMb: number;
  readonly mask: Masker;
  readonly onLine: (stream: ServiceStream, line: string) => void;
  readonly graceMs?: number;
}

/** One process of a service, with its children. */
export class RunningProcess {
  readonly #input: ProcessInput;
  readonly #program: RunningProgram;
  readonly #lastLines: string[] = [];
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;
  #excess: string | undefined;
  /** Resolves when nothing of it is alive, with what ended it; null where it was asked to end. */
  readonly ended: Promise<string | null>;
  /** Resolves when its first process has ended: it does not listen any more, and others may come to listen there. */
  readonly exited: Promise<void>;

  constructor(input: ProcessInput) {
    this.#input = input;
    this.#program = input.sandbox.start({ argv: input.argv, cwd: input.cwd, env: input.env });
    this.#read('stdout');
    this.#read('stderr');
    this.#watchMemory();
    this.exited = this.#program.ended.then(() => undefined);
    this.ended = this.#program.ended.then(async ({ exitCode, error }) => {
      clearTimeout(this.#watch);
      await this.#killAll();
      // What it has written is read to the end, unless somebody else has the pipe open.
      await Promise.race([this.#outputEnd(), sleep(SECOND_MS, undefined, { ref: false })]);
      if (this.#stopped) return null;
      return this.#excess ?? error?.message ?? describeEnd(exitCode);
    });
  }

  get lastLines(): readonly string[] {
    return [...this.#lastLines];
  }

  /** Ports on which it listens; null where the system does not tell. */
  async ports(): Promise<number[] | null> {
    return listeningPorts(await this.#family());
  }

  /** Whether it is this process, and not another's, that gets connections to an address. */
  ownsListener(host: LoopbackHost, port: number): Promise<boolean> {
    return ownsListener(host, port, { uid: this.#input.sandbox.uid, pids: () => this.#family() });
  }

  /** SIGTERM, then after a while SIGKILL. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const { pid } = this.#program;
    if (pid !== undefined) signalGroup(pid, 'SIGTERM');
    const late = setTimeout(() => void this.#killAll(), this.#input.graceMs ?? GRACE_MS);
    await this.ended;
    clearTimeout(late);
  }

  async #killAll(): Promise<void> {
    const { pid } = this.#program;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    await this.#input.sandbox.killAll().catch(() => undefined);
  }

  #outputEnd(): Promise<unknown> {
    const { stdout, stderr } = this.#program;
    return Promise.all(
      [stdout, stderr].map((stream) => (stream.closed ? undefined : new Promise((done) => stream.once('close', done)))),
    );
  }

  #read(stream: 'stdout' | 'stderr'): void {
    const { mask, onLine } = this.#input;
    const budget = new Budget((dropped) => onLine('system', `${dropped} lines or more were too many to be kept.`));
    const splitter = new LineSplitter(mask, (line) => {
      if (!budget.takeLine()) return;
      this.#lastLines.push(line);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      onLine(stream, line);
    });
    const source = this.#program[stream];
    source.on('data', (chunk: Buffer) => {
      if (budget.takeBytes(chunk.length)) splitter.write(chunk);
    });
    source.on('close', () => splitter.end());
    source.on('error', () => undefined);
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

const SIGNALS: Readonly<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };

const describeEnd = (exitCode: number): string =>
  SIGNALS[exitCode] ? `signal ${SIGNALS[exitCode]}` : `exit code ${exitCode}`;

/** So much in a second, and no more: what a service writes in a loop costs neither disk nor memory. */
class Budget {
  readonly #onDropped: (lines: number) => void;
  #since = Date.now();
  #bytes = 0;
  #lines = 0;
  #dropped = 0;

  constructor(onDropped: (lines: number) => void) {
    this.#onDropped = onDropped;
  }

  takeBytes(count: number): boolean {
    this.#turn();
    this.#bytes += count;
    if (this.#bytes <= BUDGET.bytes) return true;
    this.#dropped++;
    return false;
  }

  takeLine(): boolean {
    this.#turn();
    if (++this.#lines <= BUDGET.lines) return true;
    this.#dropped++;
    return false;
  }

  #turn(): void {
    const now = Date.now();
    if (now - this.#since < SECOND_MS) return;
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#since = now;
    this.#bytes = 0;
    this.#lines = 0;
    this.#dropped = 0;
  }
}
