import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from '../../../contract/events.ts';
import { Bells, followLines } from '../../../lambdas/shared/adapters/following.ts';
import type { LogChannel, LogEntry } from '../../../lambdas/shared/ports.ts';
import { arrayLines, fileLines, type Lines } from './lines.ts';
import { Ranges } from './ranges.ts';

/** Logs that stay open, with their index, when nobody uses them. */
const OPEN_LOGS = 32;

export interface MemoryLogs extends LogChannel {
  close(): Promise<void>;
}

/** A stored line; its number is its position. */
type Kept = [
  target: LogEntry['target'],
  attempt: number,
  n: number,
  at: string,
  stream: LogEntry['stream'],
  line: string,
];

interface Log {
  readonly lines: Lines;
  /** The numbers of the lines that were stored, by target and attempt. */
  readonly seen: Map<string, Ranges>;
}

/** One file per deployment below `dir`; without `dir` in memory. */
export function memoryLogs(dir?: string): MemoryLogs {
  const bells = new Bells();
  /** Opened logs, the least recently used first. */
  const open = new Map<string, Promise<Log>>();
  /** The last use of each log that is busy: uses of one log follow each other. */
  const busy = new Map<string, Promise<unknown>>();

  async function openLog(deploymentId: string): Promise<Log> {
    const seen: Log['seen'] = new Map();
    if (dir === undefined) return { lines: arrayLines(), seen };
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const lines = await fileLines(pathOf(dir, deploymentId), (text) => {
      const kept = parseKept(text);
      if (kept) rangesOf(seen, kept[0], kept[1]).add(kept[2]);
    });
    return { lines, seen };
  }

  function useLog<T>(deploymentId: string, work: (log: Log) => Promise<T>): Promise<T> {
    const before = busy.get(deploymentId) ?? Promise.resolve();
    const log = open.get(deploymentId) ?? openLog(deploymentId);
    open.delete(deploymentId);
    open.set(deploymentId, log);
    log.catch(() => open.delete(deploymentId));
    const used = before.then(async () => work(await log));
    const done = used
      .catch(() => {})
      .then(() => {
        if (busy.get(deploymentId) === done) busy.delete(deploymentId);
        evictIdle();
      });
    busy.set(deploymentId, done);
    return used;
  }

  function evictIdle(): void {
    if (dir === undefined) return;
    for (const [deploymentId, log] of open) {
      if (open.size <= OPEN_LOGS) return;
      if (busy.has(deploymentId)) continue;
      open.delete(deploymentId);
      log.then(({ lines }) => lines.close()).catch(() => {});
    }
  }

  const readLines = (deploymentId: string, after: number, limit: number) =>
    useLog(deploymentId, async ({ lines }) => {
      const from = Math.max(after, 0);
      return (await lines.read(from, limit)).map((text, i) => toLogLine(text, from + i + 1));
    });

  return {
    async append(deploymentId, entries) {
      const appended = await useLog(deploymentId, async ({ lines, seen }) => {
        const fresh = entries.filter((e) => !rangesOf(seen, e.target, e.attempt).has(e.n));
        const once = [...new Map(fresh.map((e) => [`${e.target}/${e.attempt}/${e.n}`, e])).values()];
        if (once.length === 0) return false;
        await lines.append(once.map((e) => JSON.stringify(toKept(e))));
        for (const e of once) rangesOf(seen, e.target, e.attempt).add(e.n);
        return true;
      });
      if (appended) bells.ring(deploymentId, false);
    },

    read: readLines,

    async *follow(deploymentId, after, signal) {
      const bell = bells.join(deploymentId);
      try {
        yield* followLines((from, limit) => readLines(deploymentId, from, limit), after, bell, signal);
      } finally {
        bells.leave(deploymentId, bell);
      }
    },

    async wake(deploymentId) {
      bells.ring(deploymentId, true);
    },

    count: (deploymentId, target, attempt) =>
      useLog(deploymentId, async ({ seen }) => seen.get(`${target}/${attempt}`)?.size ?? 0),

    remove: (deploymentId) =>
      useLog(deploymentId, async ({ lines }) => {
        open.delete(deploymentId);
        await lines.close();
        if (dir !== undefined) await rm(pathOf(dir, deploymentId), { force: true });
      }),

    async close() {
      await Promise.all(busy.values());
      for (const log of open.values()) await (await log).lines.close();
      open.clear();
    },
  };
}

const pathOf = (dir: string, deploymentId: string) => join(dir, `${encodeURIComponent(deploymentId)}.ndjson`);

function rangesOf(seen: Log['seen'], target: string, attempt: number): Ranges {
  const key = `${target}/${attempt}`;
  const known = seen.get(key) ?? new Ranges();
  seen.set(key, known);
  return known;
}

const toKept = (e: LogEntry): Kept => [e.target, e.attempt, e.n, e.at, e.stream, e.line];

function parseKept(text: string): Kept | null {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return null;
  }
}

/** A damaged line keeps its number, so that those after it keep theirs. */
function toLogLine(text: string, seq: number): LogLine {
  const kept = parseKept(text);
  if (!kept) {
    const at = new Date(0).toISOString();
    return { seq, at, target: 'frontend', stream: 'system', line: '(this line cannot be read any more)' };
  }
  const [target, , , at, stream, line] = kept;
  return { seq, at, target, stream, line };
}
