import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from './launch.ts';
import type { LoopbackHost } from './listening.ts';

/** Servers that were told nothing listen on one of these. */
const HOSTS = ['127.0.0.1', '::1'] as const satisfies LoopbackHost[];

const LOOK_MS = 50;
/** An answer that takes longer is asked for again. */
const ANSWER_MS = 10_000;

/** A process of a version, and where it is to listen. */
interface Awaited {
  readonly port: number;
  readonly process: Pick<RunningService, 'ownsListener'>;
}

/** On which loopback address the process listens, and nobody else; null for none. */
async function listeningHost({ port, process }: Awaited): Promise<LoopbackHost | null> {
  for (const host of HOSTS) if ((await accepts(host, port)) && (await process.ownsListener(host, port))) return host;
  return null;
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

type Health =
  | { readonly kind: 'healthy'; readonly host: LoopbackHost }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unhealthy'; readonly reason: string };

/** Waits until it listens, and answers the path with less than 500. */
export async function awaitHealth(
  awaited: Awaited,
  path: string,
  seconds: number,
  signal: AbortSignal,
): Promise<Health> {
  const until = Date.now() + seconds * 1_000;
  let last: Health = { kind: 'silent' };
  while (!signal.aborted && Date.now() < until) {
    const host = await listeningHost(awaited);
    if (host !== null) {
      const answer = await askStatus(host, awaited.port, path, Math.max(1, Math.min(ANSWER_MS, until - Date.now())));
      if (typeof answer === 'number' && answer >= 200 && answer < 500) return { kind: 'healthy', host };
      // What the end of the time has cut says less than an answer before.
      if (typeof answer === 'number') last = { kind: 'unhealthy', reason: `it answered ${answer}` };
      else if (last.kind === 'silent') last = { kind: 'unhealthy', reason: answer };
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return last;
}

/** Waits until it listens. */
export async function awaitListening(
  awaited: Awaited,
  seconds: number,
  signal: AbortSignal,
): Promise<LoopbackHost | null> {
  const until = Date.now() + seconds * 1_000;
  while (!signal.aborted && Date.now() < until) {
    const host = await listeningHost(awaited);
    if (host !== null) return host;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

function askStatus(host: string, port: number, path: string, timeoutMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { host: `127.0.0.1:${port}`, 'user-agent': 'veren-health' };
    const asked = request({ host, port, path, headers, agent: false, timeout: timeoutMs }, (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    asked.once('timeout', () => {
      resolve(`it did not answer within ${Math.round(timeoutMs / 1_000)} s`);
      asked.destroy();
    });
    asked.once('upgrade', (_, socket) => {
      resolve('it answered 101, which nobody has asked for');
      socket.destroy();
    });
    asked.on('error', (error) => resolve(error.message));
    asked.once('close', () => resolve('it ended the connection without an answer'));
    asked.end();
  });
}
