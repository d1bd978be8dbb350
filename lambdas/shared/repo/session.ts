import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { DELIMITER, FLUSH, firstLine, type Packet, packet, packets } from './pktLine.ts';
import type { Remote } from './remote.ts';
import type { GitFolder, GitResult, RunLimits } from './runGit.ts';
import { collect, killGroup, startGit } from './runGit.ts';

/**
 * A conversation with one host in git's protocol version 2, over the connection of git's own HTTP transport: `git fetch`
 * can ask one question per process, each with a new connection and a new discovery. TLS, proxies, pinned addresses and
 * credentials are all git's. Source: gitremote-helpers(7), `stateless-connect`; gitprotocol-v2(5).
 */
export interface Session {
  /** Object ids by name, of the refs that begin with one of these. */
  refs(prefixes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The branch that HEAD stands for, `refs/heads/…`; null where it stands for none. */
  headBranch(): Promise<string | null>;
  /** Fetches objects into the folder; of commits only themselves and their trees, where the host can filter. */
  fetch(oids: readonly string[]): Promise<void>;
  close(): void;
}

/** Why a conversation ended: what `git fetch` would have said, to be told apart by the same rules. */
export class SessionError extends Error {
  readonly result: GitResult;
  constructor(result: GitResult) {
    super(result.kind === 'exit' ? result.stderr : `stopped by ${result.by}`);
    this.result = result;
  }
}

const CLOSING_MS = 1_000;

/** Null where the host does not speak version 2. Throws a SessionError, or the system's error where git cannot be started. */
export async function openSession(remote: Remote, limits: RunLimits): Promise<Session | null> {
  const { git: folder, url } = remote;
  const child = startGit(folder, [`remote-${url.protocol.slice(0, -1)}`, url.href, url.href]);
  const stderr = collect(child.stderr);
  let received = 0;
  let stopped: 'timeout' | 'bytes' | 'signal' | undefined;
  const stop = (by: NonNullable<typeof stopped>) => {
    stopped ??= by;
    killGroup(child);
  };
  const unwatch = onAbort(limits, stop);
  let unstarted: Error | undefined;
  child.on('error', (error) => {
    unstarted = error;
  });
  const exited = closed(child);
  const failure = async (reason: unknown): Promise<Error> => {
    killGroup(child);
    // Unread output would keep the process from counting as closed.
    child.stdout.destroy();
    const code = await exited;
    if (unstarted) return unstarted;
    if (stopped) return new SessionError({ kind: 'stopped', by: stopped });
    const said = stderr() || `fatal: ${reason instanceof Error ? reason.message : 'the host ended the conversation'}`;
    return new SessionError({ kind: 'exit', code: code === 0 ? 1 : code, stdout: '', stderr: said });
  };
  const close = () => {
    unwatch();
    // The helper is git's child: killed, it would be left to process 1, which reaps nothing in many containers.
    child.stdin.end();
    child.stdout.destroy();
    const late = setTimeout(() => killGroup(child), CLOSING_MS).unref();
    child.once('exit', () => clearTimeout(late));
  };
  try {
    child.stdin.write('stateless-connect git-upload-pack\n');
    const { line: answer, rest } = await firstLine(child.stdout);
    if (answer === 'fallback') {
      close();
      return null;
    }
    if (answer !== '') throw new Error('the host ended the conversation');
    const stream = packets(child.stdout, rest);
    const capabilities = await linesUntil(stream, 'flush');
    const filter = capabilities.some((line) => /^fetch=.*\bfilter\b/.test(line));
    const talk = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        throw await failure(error);
      }
    };
    return {
      refs: (prefixes) =>
        talk(async () => {
          const asked = prefixes.map((prefix) => packet(`ref-prefix ${prefix}`)).join('');
          child.stdin.write(`${packet('command=ls-refs')}${DELIMITER}${asked}${FLUSH}`);
          const lines = await linesUntil(stream, 'flush');
          await expectMark(stream, 'response-end');
          return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
        }),
      headBranch: () =>
        talk(async () => {
          const asked = ['symrefs', 'ref-prefix HEAD'].map(packet).join('');
          child.stdin.write(`${packet('command=ls-refs')}${DELIMITER}${asked}${FLUSH}`);
          const lines = await linesUntil(stream, 'flush');
          await expectMark(stream, 'response-end');
          return lines.map((line) => /^\S+ HEAD symref-target:(\S+)$/.exec(line)?.[1]).find(Boolean) ?? null;
        }),
      fetch: (oids) =>
        talk(async () => {
          const wants = oids.map((oid) => packet(`want ${oid}`)).join('');
          const options = ['no-progress', 'ofs-delta', 'deepen 1', ...(filter ? ['filter blob:none'] : [])];
          child.stdin.write(
            `${packet('command=fetch')}${DELIMITER}${options.map(packet).join('')}${wants}${packet('done')}${FLUSH}`,
          );
          await readPack(stream, folder, limits, (bytes) => {
            received += bytes;
            if (received > limits.maxPackBytes) stop('bytes');
          });
          await expectMark(stream, 'response-end');
        }),
      close,
    };
  } catch (error) {
    unwatch();
    throw await failure(error);
  }
}

/** Exit code once all output has been read; -1 where it was killed or could not be started. Never rejects. */
const closed = (child: ChildProcess): Promise<number> =>
  once(child, 'close').then(
    ([code]) => (code as number | null) ?? -1,
    () => -1,
  );

function onAbort(limits: RunLimits, stop: (by: 'timeout' | 'signal') => void): () => void {
  const onDeadline = () => stop('timeout');
  const onSignal = () => stop('signal');
  if (limits.deadline.aborted) onDeadline();
  if (limits.signal?.aborted) onSignal();
  limits.deadline.addEventListener('abort', onDeadline, { once: true });
  limits.signal?.addEventListener('abort', onSignal, { once: true });
  return () => {
    limits.deadline.removeEventListener('abort', onDeadline);
    limits.signal?.removeEventListener('abort', onSignal);
  };
}

async function next(stream: AsyncGenerator<Packet, void>): Promise<Packet> {
  const { value, done } = await stream.next();
  if (done || value === undefined) throw new Error('the host ended the conversation');
  if (Buffer.isBuffer(value) && value.subarray(0, 4).toString('latin1') === 'ERR ')
    throw new Error(value.toString('utf8', 4).trim());
  return value;
}

const MAX_LINES = 100_000;
async function linesUntil(stream: AsyncGenerator<Packet, void>, mark: 'flush' | 'delimiter'): Promise<string[]> {
  const lines: string[] = [];
  for (let item = await next(stream); item !== mark; item = await next(stream)) {
    if (!Buffer.isBuffer(item) || lines.length >= MAX_LINES) throw new Error('protocol error: unexpected packet');
    lines.push(item.toString('utf8').replace(/\n$/, ''));
  }
  return lines;
}

async function expectMark(stream: AsyncGenerator<Packet, void>, mark: Packet): Promise<void> {
  if ((await next(stream)) !== mark) throw new Error('protocol error: unexpected packet');
}

/** Reads the sections of a fetch's answer and gives the pack to `git index-pack`, as far as the limit goes. */
async function readPack(
  stream: AsyncGenerator<Packet, void>,
  folder: GitFolder,
  limits: RunLimits,
  count: (bytes: number) => void,
): Promise<void> {
  // Started while the host is still at work.
  const indexer = startGit(folder, ['index-pack', '--stdin']);
  const unwatch = onAbort(limits, () => killGroup(indexer));
  const stderr = collect(indexer.stderr);
  indexer.stdout.resume();
  const exited = closed(indexer);
  try {
    for (let section = String(await next(stream)); section !== 'packfile\n'; section = String(await next(stream)))
      await linesUntil(stream, 'delimiter');
    for (let item = await next(stream); item !== 'flush'; item = await next(stream)) {
      if (!Buffer.isBuffer(item)) throw new Error('protocol error: unexpected packet');
      // Side band: 1 is the pack, 2 is progress, 3 is the host's last word.
      if (item[0] === 3) throw new Error(item.toString('utf8', 1).trim());
      if (item[0] !== 1) continue;
      count(item.length - 1);
      if (!indexer.stdin.write(item.subarray(1))) await Promise.race([once(indexer.stdin, 'drain'), exited]);
    }
    indexer.stdin.end();
    if ((await exited) !== 0)
      throw new Error(
        stderr()
          .split('\n')[0]
          ?.replace(/^fatal: /, '') || 'index-pack failed',
      );
  } finally {
    unwatch();
    killGroup(indexer);
  }
}
