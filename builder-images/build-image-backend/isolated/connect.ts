import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 250;

/** A connection to the socket of the other container, which makes it once it has fetched the commit. Null: it never came. */
export async function connectToBuilder(path: string, waitMs: number): Promise<Socket | null> {
  const end = performance.now() + waitMs;
  while (performance.now() < end) {
    const socket = await tryToConnect(path);
    if (socket) return socket;
    await sleep(RETRY_MS);
  }
  return null;
}

const tryToConnect = (path: string) =>
  new Promise<Socket | null>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
