import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { LoopbackHost } from './listening.ts';
import type { OnLine } from './serviceOutput.ts';
import type { VersionSpec } from './specs.ts';

/** Processes and threads of one service: as many as a build may have. */
export const MAX_PROCESSES = 2_048;
/** Files and connections that each process of a service may have open. */
const MAX_FILES = 8_192;
/** Between SIGTERM and SIGKILL. */
export const GRACE_MS = 5_000;

/** A version while it runs: a process with its children, or a container. */
export interface RunningService {
  /** Resolves when it does not listen any more, and others may come to listen on its port. */
  readonly exited: Promise<void>;
  /** Resolves when nothing of it is alive, with what ended it; null where it was asked to end. */
  readonly ended: Promise<string | null>;
  readonly lastLines: readonly string[];
  /** Where it listens, in words; null where the system does not tell. */
  listening(): Promise<string[] | null>;
  /** Whether it is this service, and nobody else, that gets connections to an address. */
  ownsListener(host: LoopbackHost, port: number): Promise<boolean>;
  /** SIGTERM, then after a while SIGKILL. @param graceMs Between them. @default - `GRACE_MS` */
  stop(graceMs?: number): Promise<void>;
}

export interface Launched {
  readonly process: RunningService;
  /** On a loopback address of this machine. */
  readonly port: number;
  /** The port that it was told by PORT. */
  readonly toldPort: number;
}

/** Runs the versions of one kind of artifact. */
export interface Launcher {
  /** How it runs them, as the API tells it. */
  readonly told: string;
  /** Why it runs nothing here; null where it does. */
  refusal(): Promise<string | null>;
  /** Starts a version on a port of its own. Throws ServiceFault for what is the user's, and else what the reason says. */
  launch(
    spec: VersionSpec,
    environment: Readonly<Record<string, string>>,
    onLine: OnLine,
    signal: AbortSignal,
  ): Promise<Launched>;
  /** After a start of the platform: ends what an earlier one has left. `known`: all versions of this kind. */
  endLeft(known: readonly VersionSpec[]): Promise<void>;
  /** Removes all that a version has left. Throws where something of it may be alive. */
  clear(spec: VersionSpec): Promise<void>;
  /** When the platform stops, and nothing runs any more. */
  close?(): Promise<void>;
}

/** More than the platform itself may have could not be given. Source: proc_pid_limits(5). */
export function maxFiles(): number {
  try {
    const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return hard === undefined ? MAX_FILES : Math.min(MAX_FILES, Number(hard));
  } catch {
    return MAX_FILES; // another system than Linux, where services have no users of their own
  }
}

/** A port that nobody has at this moment, outside of what systems give to outgoing connections. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 30_000 + (randomBytes(2).readUInt16BE() % 2_700);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
