import { VerenError } from '../../../contract/errors.ts';
import { Conversation } from './conversation.ts';
import { DELIMITER, FLUSH, firstLine, formatPacket } from './pktLine.ts';
import { receivePack } from './receivePack.ts';
import type { Remote } from './remote.ts';
import type { GitResult, RunLimits } from './runGit.ts';
import { collectOutput, killGroup, onAbort, startGit, waitForClose } from './runGit.ts';

/**
 * A conversation with one host in git's protocol version 2, over the connection of git's own HTTP transport, since `git
 * fetch` needs a process, a connection and a discovery for every request. git itself does TLS, proxies, pinned
 * addresses and credentials. Source: gitremote-helpers(7), `stateless-connect`; gitprotocol-v2(5).
 */
export interface Session {
  /** The refs with one of these names, and where HEAD points. Nothing else of the host's answer is kept. */
  refs(names: readonly string[]): Promise<FoundRefs>;
  /**
   * Objects that branches and tags point at and that begin so, tags followed to their commits; and what the branches point
   * at, that of HEAD first, at most `maxTips`.
   */
  tips(prefix: string, maxTips: number): Promise<Tips>;
  /** Whether the host can leave trees and files out. */
  readonly canFilter: boolean;
  /** Fetches commits with all that came before them, without trees and files. */
  fetchHistory(oids: readonly string[]): Promise<void>;
  /** Fetches objects into the folder; of commits only themselves and their trees, where the host can filter. */
  fetch(oids: readonly string[]): Promise<void>;
  close(): void;
}

export interface Tips {
  readonly alike: readonly string[];
  readonly tips: readonly string[];
}

export interface FoundRefs {
  /** Object ids by name. */
  readonly oids: ReadonlyMap<string, string>;
  /** Branch that HEAD points at; null where the host does not say. */
  readonly defaultBranch: string | null;
}

/** Why a conversation ended, in the form of `git fetch`'s messages, so that the same rules recognise it. */
export class SessionError extends Error {
  readonly result: GitResult;
  constructor(result: GitResult) {
    super(result.kind === 'exit' ? result.stderr : `stopped by ${result.by}`);
    this.result = result;
  }
}

const CLOSING_MS = 1_000;
/** Source: gitprotocol-v2(5), `ls-refs`. */
const REF_LINE = /^([0-9a-f]{40}|[0-9a-f]{64}|unborn) (\S+)(.*)$/;

/** Null where the host does not speak version 2. Throws a SessionError, or the system's error where git cannot be started. */
export async function openSession(remote: Remote, limits: RunLimits): Promise<Session | null> {
  const { git: folder, url } = remote;
  const child = startGit(folder, [`remote-${url.protocol.slice(0, -1)}`, url.href, url.href]);
  let stopped: 'timeout' | 'bytes' | 'signal' | undefined;
  const stopSession = (by: NonNullable<typeof stopped>) => {
    stopped ??= by;
    killGroup(child);
  };
  const stderr = collectOutput(child.stderr, () => stopSession('bytes'));
  const unwatch = onAbort(limits, stopSession);
  let unstarted: Error | undefined;
  child.on('error', (error) => {
    unstarted = error;
  });
  const exited = waitForClose(child);
  const failureOf = async (reason: unknown): Promise<Error> => {
    killGroup(child);
    // Unread output would keep the process from counting as closed.
    child.stdout.destroy();
    const code = await exited;
    if (unstarted) return unstarted;
    if (reason instanceof VerenError) return reason;
    if (stopped) return new SessionError({ kind: 'stopped', by: stopped });
    const said = stderr() || `fatal: ${reason instanceof Error ? reason.message : 'the host ended the conversation'}`;
    return new SessionError({ kind: 'exit', code: code === 0 ? 1 : code, stdout: '', stderr: said });
  };
  const closeSession = () => {
    unwatch();
    // The helper is a child of git. If git is killed, process 1 inherits it, which reaps no children in many
    // containers.
    child.stdin.end();
    child.stdout.destroy();
    const late = setTimeout(() => killGroup(child), CLOSING_MS).unref();
    child.once('exit', () => clearTimeout(late));
  };
  try {
    child.stdin.write('stateless-connect git-upload-pack\n');
    const { line: answer, rest } = await firstLine(child.stdout);
    if (answer === 'fallback') {
      closeSession();
      return null;
    }
    if (answer !== '') throw new Error('the host ended the conversation');
    const host = new Conversation(child.stdout, rest, limits.maxPackBytes);
    let filter = false;
    await host.lines('flush', (line) => {
      filter ||= /^fetch=.*\bfilter\b/.test(line);
    });
    const talkOnce = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        throw await failureOf(error);
      }
    };
    const fetchObjects = async (oids: readonly string[], options: readonly string[]): Promise<void> => {
      const wants = oids.map((oid) => formatPacket(`want ${oid}`)).join('');
      const lines = ['no-progress', 'ofs-delta', ...options].map(formatPacket).join('');
      child.stdin.write(`${formatPacket('command=fetch')}${DELIMITER}${lines}${wants}${formatPacket('done')}${FLUSH}`);
      await receivePack(host, folder, limits);
      await host.expect('response-end');
    };
    return {
      refs: (names) =>
        talkOnce(async () => {
          const prefixes = [...new Set([...names, 'HEAD'])].map((name) => formatPacket(`ref-prefix ${name}`)).join('');
          child.stdin.write(
            `${formatPacket('command=ls-refs')}${DELIMITER}${formatPacket('symrefs')}${prefixes}${FLUSH}`,
          );
          const found = new RefList(names);
          await host.lines('flush', (line) => found.add(line));
          await host.expect('response-end');
          return found;
        }),
      tips: (prefix, maxTips) =>
        talkOnce(async () => {
          const prefixes = ['HEAD', 'refs/heads/', 'refs/tags/']
            .map((name) => formatPacket(`ref-prefix ${name}`))
            .join('');
          child.stdin.write(`${formatPacket('command=ls-refs')}${DELIMITER}${formatPacket('peel')}${prefixes}${FLUSH}`);
          const list = new TipList(prefix, maxTips);
          await host.lines('flush', (line) => list.add(line));
          await host.expect('response-end');
          return { alike: [...list.alike], tips: [...list.tips] };
        }),
      canFilter: filter,
      fetchHistory: (oids) => talkOnce(() => fetchObjects(oids, ['filter tree:0'])),
      fetch: (oids) => talkOnce(() => fetchObjects(oids, ['deepen 1', ...(filter ? ['filter blob:none'] : [])])),
      close: closeSession,
    };
  } catch (error) {
    unwatch();
    throw await failureOf(error);
  }
}

/** Keeps the refs that were asked for and nothing else. Source: gitprotocol-v2(5), `ls-refs`. */
class RefList implements FoundRefs {
  readonly oids = new Map<string, string>();
  defaultBranch: string | null = null;
  readonly #names: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  add(line: string): void {
    const [, oid, name, attributes] = REF_LINE.exec(line) ?? [];
    if (oid === undefined || name === undefined) throw new Error('protocol error: bad ref');
    if (name === 'HEAD')
      this.defaultBranch =
        / symref-target:refs\/heads\/([^\s\u0000-\u001f\u007f]{1,255})(?: |$)/.exec(attributes ?? '')?.[1] ?? null;
    if (this.#names.has(name) && oid !== 'unborn') this.oids.set(name, oid);
  }
}

/** Keeps ids that begin as wanted, and the first tips of branches. */
class TipList {
  readonly alike = new Set<string>();
  readonly tips = new Set<string>();
  readonly #prefix: string;
  readonly #maxTips: number;

  constructor(prefix: string, maxTips: number) {
    this.#prefix = prefix;
    this.#maxTips = maxTips;
  }

  add(line: string): void {
    const [, oid, name, attributes] = REF_LINE.exec(line) ?? [];
    if (oid === undefined || name === undefined) throw new Error('protocol error: bad ref');
    if (oid === 'unborn') return;
    const peeled = / peeled:([0-9a-f]{40,64})(?: |$)/.exec(attributes ?? '')?.[1];
    const commit = peeled ?? oid;
    if (commit.startsWith(this.#prefix) && this.alike.size < this.#maxTips) this.alike.add(commit);
    if (!name.startsWith('refs/tags/') && this.tips.size < this.#maxTips) this.tips.add(oid);
  }
}
