import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 where nothing listens. It lies below those that the system gives to clients (on Linux from 32,768):
 * while a server is away, a client that keeps trying could be given that very port, and would be connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const [server, port] = [createServer(), randomInt(10_000, 32_000)];
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
