import type { LogBatch, LogLine } from '../../contract/events.ts';
import { isLastWords } from '../../lambdas/shared/adapters/redis/logCap.ts';
import type { LogChannel, LogEntry } from '../../lambdas/shared/ports.ts';

/** A deployment's lines in Kafka's order, each once: its log, since the sequence numbers follow that order. */
export interface KafkaLog {
  readonly entries: LogEntry[];
  readonly seen: Set<string>;
}

export interface LogDeps {
  readonly logs: LogChannel;
  readonly clearLog: (deploymentId: string) => Promise<void>;
}

const PAGE = 1_000;

export function sortIn(logs: Map<string, KafkaLog>, { deploymentId, target, attempt, first, lines }: LogBatch): void {
  const log = logs.get(deploymentId) ?? { entries: [], seen: new Set() };
  logs.set(deploymentId, log);
  for (const [i, line] of lines.entries()) {
    const n = first + i;
    const name = `${target}:${attempt}:${n}`;
    if (log.seen.has(name)) continue;
    log.seen.add(name);
    log.entries.push({ ...line, target, attempt, n });
  }
}

/**
 * True where the log in Redis begins with these lines (a running projector may have added more). Otherwise it is
 * written anew, and the next round compares it, since a running projector may append lines before older ones are
 * restored.
 */
export async function restoreLog(deps: LogDeps, deploymentId: string, { entries }: KafkaLog): Promise<boolean> {
  const state = await compareLog(deps.logs, deploymentId, entries);
  if (state === 'same') return true;
  if (state === 'other') await deps.clearLog(deploymentId);
  await deps.logs.append(deploymentId, entries);
  return false;
}

async function compareLog(logs: LogChannel, deploymentId: string, entries: readonly LogEntry[]) {
  let seen = 0;
  while (seen < entries.length) {
    const lines = await logs.read(deploymentId, seen, PAGE);
    // An empty log may still count lines that it had.
    if (lines.length === 0) return seen === 0 ? 'other' : 'shorter';
    for (const line of lines) {
      if (isLastWords(line)) return 'same';
      const entry = entries[seen];
      if (!entry) return 'same';
      if (!isSame(line, entry)) return 'other';
      seen++;
    }
  }
  return 'same';
}

const isSame = (line: LogLine, entry: LogEntry) =>
  line.line === entry.line && line.at === entry.at && line.stream === entry.stream && line.target === entry.target;
