import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A git host of protocol version 2 that answers as it is told to; what it is not told, it answers as a host should. */
export interface HostileAnswers {
  discovery?(res: ServerResponse, req: IncomingMessage): Promise<unknown> | unknown;
  refs?(res: ServerResponse): Promise<unknown> | unknown;
  fetch?(res: ServerResponse): Promise<unknown> | unknown;
}

export interface HostileGitHost {
  /** Of a repository there. */
  readonly url: string;
  /** Bytes sent to all who have asked. */
  bytesSent(): number;
  close(): Promise<void>;
}

export const pkt = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
};
export const FLUSH = Buffer.from('0000');
const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement';
const CAPABILITIES = [pkt('version 2\n'), pkt('ls-refs\n'), pkt('fetch=shallow filter\n')];

export const advertise = (res: ServerResponse): void => {
  res.setHeader('content-type', ADVERTISEMENT);
  res.write(Buffer.concat([pkt('# service=git-upload-pack\n'), FLUSH, ...CAPABILITIES]));
};

/** As often as `times` says, for ever by default, or until nobody listens any more. */
export async function writeAgain(
  res: ServerResponse,
  bytes: Buffer | ((i: number) => Buffer),
  times = Number.POSITIVE_INFINITY,
): Promise<void> {
  const gone = once(res, 'close');
  for (let i = 0; i < times && !res.destroyed; i++)
    if (!res.write(typeof bytes === 'function' ? bytes(i) : bytes)) await Promise.race([once(res, 'drain'), gone]);
}

/** Lines of refs with long names of one length: V8 takes the length of such a string for its hash. */
export const refsOfEqualHash = (res: ServerResponse): Promise<void> =>
  writeAgain(
    res,
    (i) => pkt(`${'a'.repeat(40)} refs/heads/${'x'.repeat(16_500)}${String(i).padStart(6, '0')}\n`),
    6_000,
  );

/** Answers a fetch with this pack, in packets of `size` bytes. */
export async function sendPack(res: ServerResponse, pack: Buffer, size = 60_000): Promise<void> {
  res.write(pkt('packfile\n'));
  const gone = once(res, 'close');
  for (let at = 0; at < pack.length && !res.destroyed; ) {
    const packets: Buffer[] = [];
    for (let n = 0; n < 2_000 && at < pack.length; n++, at += size)
      packets.push(pkt(Buffer.concat([Buffer.from([1]), pack.subarray(at, at + size)])));
    if (!res.write(Buffer.concat(packets))) await Promise.race([once(res, 'drain'), gone]);
  }
  res.end(FLUSH);
}

/** `commit` is where its HEAD is. */
export async function startHostileGitHost(answers: HostileAnswers, commit = 'a'.repeat(40)): Promise<HostileGitHost> {
  let sent = 0;
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const asked = Buffer.concat(chunks).toString('latin1');
    if (req.url?.includes('/info/refs')) {
      if (answers.discovery) return void (await answers.discovery(res, req));
      advertise(res);
      return void res.end(FLUSH);
    }
    res.setHeader('content-type', 'application/x-git-upload-pack-result');
    if (asked.includes('command=ls-refs')) {
      await answers.refs?.(res);
      const branch = asked.includes('symrefs') ? ' symref-target:refs/heads/main' : '';
      return void res.end(Buffer.concat([pkt(`${commit} HEAD${branch}\n`), FLUSH]));
    }
    if (answers.fetch) await answers.fetch(res);
    else res.end(FLUSH);
  });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      sent += socket.bytesWritten;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`,
    bytesSent: () => sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
