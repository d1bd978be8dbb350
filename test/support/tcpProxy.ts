import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that can lose what comes back. */
export async function tcpProxy(targetUrl: string) {
  const target = new URL(targetUrl);
  const open = new Set<Socket>();
  let lose: RegExp | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let losing = false;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (lose?.test(data.toString('latin1'))) {
        lose = null;
        losing = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      // The request has been carried out, and who asked will not learn of it on this connection.
      if (losing) client.destroy();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `${target.protocol}//127.0.0.1:${port}`,
    /** Breaks the connection instead of giving the reply to the next request that matches. */
    loseReplyTo(request: RegExp) {
      lose = request;
    },
    /** Breaks every connection; new ones can be made. */
    breakAll() {
      for (const socket of open) socket.destroy();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
