import { TARGETS } from '../../../contract/builders.ts';
import type { LogLine } from '../../../contract/events.ts';
import { type DeploymentRecord, type DeploymentStatus, isTerminal } from '../../../contract/record.ts';
import { expectedLogLines } from '../../domain/toRecord.ts';
import type { Archive } from '../archive.ts';
import type { Clock, DeploymentStore, LogChannel, StoredDeployment } from '../ports.ts';

export type FollowedLog =
  | { readonly kind: 'lines'; readonly lines: readonly LogLine[] }
  | { readonly kind: 'record'; readonly record: DeploymentRecord }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'end'; readonly status: DeploymentStatus };

export interface FollowDeps {
  readonly store: DeploymentStore;
  readonly logs: LogChannel;
  readonly archive: Archive;
  readonly clock: Clock;
}

export interface FollowLogOptions {
  /** Lines up to this `seq` are known to the caller. */
  readonly after: number;
  readonly signal: AbortSignal;
  /** Something is yielded at least this often, so that proxies keep the connection. Milliseconds. */
  readonly heartbeatMs?: number;
  /** How long after the end to wait for lines that the builder has counted. Milliseconds. */
  readonly graceMs?: number;
}

/**
 * A deployment's log and its record's changes, from `after` to the terminal state. Topics are not ordered against each
 * other, so the end is yielded only after every line that the builders counted, or after `graceMs`.
 */
export async function* followLog(
  deps: FollowDeps,
  deploymentId: string,
  { after, signal, heartbeatMs = 15_000, graceMs = 5_000 }: FollowLogOptions,
): AsyncGenerator<FollowedLog> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const pages = deps.logs.follow(deploymentId, after, stop)[Symbol.asyncIterator]();
  let page = pages.next();
  let seen = after;
  let shown = '';
  let endedAt: number | undefined;
  let stored: StoredDeployment | null = null;
  let recordMayHaveChanged = true;
  let spokeAt = deps.clock.now();
  try {
    while (!signal.aborted) {
      // New lines do not change the record, so it is read again only after a wake or a pause.
      if (!stored || recordMayHaveChanged) stored = await deps.store.get(deploymentId);
      if (!stored) return;
      const { record } = stored;
      // Compares the records themselves: a late event, or one after a clock was set back, does not change `updatedAt`.
      const text = recordMayHaveChanged ? JSON.stringify(record) : shown;
      if (text !== shown) {
        shown = text;
        spokeAt = deps.clock.now();
        yield { kind: 'record', record };
      }
      if (isTerminal(record.status)) {
        endedAt ??= deps.clock.now();
        const complete = deps.clock.now() - endedAt >= graceMs || (await allLinesArrived(deps.logs, stored));
        if (complete) {
          for await (const lines of readLogPages(deps, deploymentId, seen)) {
            seen = lines.at(-1)?.seq ?? seen;
            yield { kind: 'lines', lines };
          }
          yield { kind: 'end', status: record.status };
          return;
        }
      }
      const next = await waitFor(page, isTerminal(record.status) ? 200 : Math.min(heartbeatMs, 2_000), signal);
      recordMayHaveChanged = next === 'timeout' || next.done === true || next.value.length === 0;
      if (next === 'timeout') {
        if (deps.clock.now() - spokeAt >= heartbeatMs) {
          spokeAt = deps.clock.now();
          yield { kind: 'heartbeat' };
        }
        continue;
      }
      if (next.done) return;
      page = pages.next();
      if (next.value.length > 0) {
        seen = next.value.at(-1)?.seq ?? seen;
        spokeAt = deps.clock.now();
        yield { kind: 'lines', lines: next.value };
      }
    }
  } finally {
    done.abort();
    page.catch(() => undefined);
    await pages.return?.().catch(() => undefined);
  }
}

async function allLinesArrived(logs: LogChannel, { record, facts }: StoredDeployment): Promise<boolean> {
  const expected = expectedLogLines(facts);
  for (const target of TARGETS) {
    const counted = expected[target];
    if (!counted) continue;
    if ((await logs.count(record.deploymentId, target, counted.attempt)) < counted.lines) return false;
  }
  return true;
}

/** The rest of the log in pages, from Redis or, where it is no longer there, from the archive. */
export async function* readLogPages(
  deps: Pick<FollowDeps, 'logs' | 'archive'>,
  deploymentId: string,
  after: number,
): AsyncGenerator<LogLine[]> {
  let seen = after;
  for (;;) {
    const lines = await deps.logs.read(deploymentId, seen, 1_000);
    if (lines.length === 0) break;
    seen = lines.at(-1)?.seq ?? seen;
    yield lines;
  }
  if (seen > after || (await deps.logs.read(deploymentId, 0, 1)).length > 0) return;
  const cold = await deps.archive.readLog(deploymentId, after);
  if (cold && cold.length > 0) yield cold;
}

async function waitFor<T>(value: Promise<T>, ms: number, signal: AbortSignal): Promise<T | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), ms);
    onAbort = () => resolve('timeout');
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([value, timeout]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
