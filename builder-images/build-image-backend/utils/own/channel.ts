import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { VerenError } from '../../../../contract/errors.ts';
import { SOCKET_NAME } from '../../isolated/job.ts';

/**
 * Waits for the other container on a socket in the folder that both have, which it cannot write. One connection is taken and no
 * other: it is made before anything of the user's is there. Throws `VerenError('IMAGE_BUILD_FAILED')`, or the signal's reason.
 */
export async function acceptIsolated(channel: string, waitMs: number, signal: AbortSignal): Promise<Socket> {
  const path = join(channel, SOCKET_NAME);
  await rm(path, { force: true });
  const server = createServer({ pauseOnConnect: true });
  server.maxConnections = 1;
  try {
    return await firstConnection(server, path, waitMs, signal);
  } finally {
    server.close();
  }
}

const firstConnection = (server: Server, path: string, waitMs: number, signal: AbortSignal) =>
  new Promise<Socket>((resolve, refuse) => {
    const reject = (reason: unknown) => {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      refuse(reason);
    };
    const late = setTimeout(
      () => reject(new VerenError('IMAGE_BUILD_FAILED', { reason: 'the container that builds did not come up' })),
      waitMs,
    );
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    server.once('error', reject);
    server.once('connection', (socket) => {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    server.listen(path);
  });
