import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { VerenError } from '../../contract/errors.ts';

export interface Endpoint {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /**
   * Cuts open connections, and each new one, and keeps the port: nobody else can be who answers there until `close`.
   */
  silence(): void;
  /** Stops listening and cuts open connections. */
  close(): Promise<void>;
}

/**
 * Limit for the bytes of a request's headers, where browsers ask. Cookies ignore ports, so those of every page on
 * 127.0.0.1 are sent to every server there: Chromium and Firefox keep 180 of 4 KB, and with a limit below that one site
 * could block all others, and the API.
 */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** For any port: one that is free at 127.0.0.1 may be taken at ::1. */
const TRIES = 5;

/**
 * Listens on 127.0.0.1 only: nothing of the laptop's engines is reachable from another machine.
 * @param port 0 for any free port.
 * @throws VerenError PORT_IN_USE
 */
export async function listenOnLoopback(server: Server | NetServer, port = 0): Promise<Endpoint> {
  const sockets = trackSockets(server);
  return endpointOf(await listen(server, port, '127.0.0.1'), [server], sockets);
}

/**
 * Listens at one port of both loopback addresses, for what browsers visit as `localhost` or a name below it: they try ::1
 * first, and whoever listens there has the origin. A machine without IPv6 has nobody there.
 * @param port 0 for any free port.
 * @throws VerenError PORT_IN_USE where either address has it taken
 */
export async function listenOnLocalhost(server: Server, port = 0): Promise<Endpoint> {
  const sockets = trackSockets(server);
  // An http.Server takes connections of another listener, half open as its own are. Source: Node's manual, 'connection'.
  const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
  for (let tries = 1; ; tries++) {
    const actual = await listen(server, port, '127.0.0.1');
    try {
      await listen(second, actual, '::1');
      return endpointOf(actual, [server, second], sockets);
    } catch (error) {
      if (isWithoutIpv6(error)) return endpointOf(actual, [server], sockets);
      await endpointOf(actual, [server], sockets).close();
      if (port !== 0 || tries === TRIES) throw error;
    }
  }
}

interface Sockets {
  cut(): void;
  /** Also those that come. */
  refuse(): void;
}

function trackSockets(server: Server | NetServer): Sockets {
  const open = new Set<Socket>();
  let refused = false;
  // Before a server of HTTP reads anything of it.
  server.prependListener('connection', (socket: Socket) => {
    if (refused) return void socket.destroy();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    cut,
    refuse() {
      refused = true;
      cut();
    },
  };
}

/** @returns the port */
function listen(server: Server | NetServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new VerenError('PORT_IN_USE', { port }, { cause: error })
          : error,
      ),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function endpointOf(port: number, servers: readonly (Server | NetServer)[], sockets: Sockets): Endpoint {
  const closeServer = (server: Server | NetServer) =>
    new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    silence: () => sockets.refuse(),
    async close() {
      const closed = Promise.all(servers.map(closeServer));
      sockets.cut();
      await closed;
    },
  };
}

const isWithoutIpv6 = (error: unknown) =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(String((error as NodeJS.ErrnoException).code));
