import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FRAME, readFrames, writeFrame } from '../../../../builder-images/build-image-backend/isolated/frames.ts';
import {
  type IsolatedBuild,
  runIsolatedBuild,
} from '../../../../builder-images/build-image-backend/utils/own/isolated-build.ts';
import { createSandbox } from '../../../../builder-images/shared/sandbox.ts';

/** What stands for the other container: it may do what it likes with its end of the socket. */
type Peer = (socket: Socket) => Promise<void> | void;

let dir: string;
let heard: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'veren-isolated-'));
  heard = '';
  for (const name of ['channel', 'context', 'control']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'context/Dockerfile'), 'FROM scratch\n');
  mkdirSync(join(dir, 'context/.git'));
  writeFileSync(join(dir, 'context/.git/config'), 'history');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function runAgainst(peer: Peer, options: Partial<IsolatedBuild> = {}) {
  const result = runIsolatedBuild({
    channel: join(dir, 'channel'),
    context: join(dir, 'context'),
    sandbox: createSandbox({ maxProcesses: 100, cookie: '' }),
    job: { dockerfile: 'Dockerfile', buildArgs: { A: 'b' }, labels: {} },
    output: join(dir, 'control/image'),
    onOutput: async (stream, chunk) => {
      heard += `${stream}:${chunk}`;
    },
    signal: AbortSignal.timeout(20_000),
    graceMs: 50,
    ...options,
  });
  result.catch(() => undefined);
  let socket: Socket | undefined;
  for (let i = 0; i < 200 && !socket; i++) {
    socket = await new Promise<Socket | undefined>((done) => {
      const s = connect(join(dir, 'channel/build.sock'));
      s.once('connect', () => done(s)).once('error', () => done(undefined));
    });
    if (!socket) await sleep(20);
  }
  socket!.on('error', () => undefined);
  socket!.on('data', () => undefined);
  await peer(socket!);
  try {
    return await result;
  } finally {
    socket!.destroy();
  }
}

const layer = Buffer.from('a layer');
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const config = Buffer.from(
  JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
);
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(layer), size: layer.length }],
  }),
);
const end = (exitCode: unknown) => Buffer.from(JSON.stringify({ exitCode }));

test('job and context go over, without the history; output and image come back', async () => {
  const got: string[] = [];
  const code = await runAgainst(async (socket) => {
    for await (const { kind, payload } of readFrames(socket.iterator({ destroyOnReturn: false }))) {
      got.push(`${kind} ${payload}`);
      if (kind === FRAME.contextEnd) break;
    }
    await writeFrame(socket, FRAME.stdout, Buffer.from('out'));
    await writeFrame(socket, FRAME.stderr, Buffer.from('err'));
    await writeFrame(socket, FRAME.ended, end(0));
    await writeFrame(socket, FRAME.manifest, manifest);
    await writeFrame(socket, FRAME.blob, config);
    await writeFrame(socket, FRAME.blob, layer);
  });
  expect(code).toBe(0);
  expect(heard).toBe('stdout:outstderr:err');
  expect(got[0]).toBe('1 {"dockerfile":"Dockerfile","buildArgs":{"A":"b"},"labels":{}}');
  expect(got.join('')).toContain('FROM scratch');
  expect(got.join('')).not.toContain('history');
  expect(readdirSync(join(dir, 'control/image/blobs/sha256'))).toHaveLength(3);
  // The name is gone with the one connection that it was for.
  expect(readdirSync(join(dir, 'channel'))).toEqual([]);
});

test('the exit code of a build that failed; nothing is kept', async () => {
  expect(await runAgainst((socket) => writeFrame(socket, FRAME.ended, end(7)))).toBe(7);
  expect(existsSync(join(dir, 'control/image'))).toBe(false);
});

test.each<[string, Peer, string]>([
  ['bytes that are no frames', (s) => void s.write('GET / HTTP/1.1\r\n\r\n'), 'DOCKERFILE_BUILDER_ENDED'],
  [
    'a frame without end',
    (s) => void s.write(Buffer.from([FRAME.blob, 255, 255, 255, 255])),
    'DOCKERFILE_BUILDER_ENDED',
  ],
  ['its end at once', (s) => void s.end(), 'DOCKERFILE_BUILDER_ENDED'],
  [
    'an end in the middle of a frame',
    (s) => void s.end(Buffer.from([FRAME.stdout, 0, 0, 1, 0, 1])),
    'DOCKERFILE_BUILDER_ENDED',
  ],
  ['a reset', (s) => void s.destroy(), 'DOCKERFILE_BUILDER_ENDED'],
  ['an image before the end of the build', (s) => writeFrame(s, FRAME.manifest, manifest), 'IMAGE_REFUSED'],
  [
    'blobs before a manifest',
    async (s) => {
      await writeFrame(s, FRAME.ended, end(0));
      await writeFrame(s, FRAME.blob, layer);
    },
    'IMAGE_REFUSED',
  ],
  [
    'two ends',
    async (s) => {
      await writeFrame(s, FRAME.ended, end(0));
      await writeFrame(s, FRAME.ended, end(0));
    },
    'IMAGE_REFUSED',
  ],
  ['an exit code that is none', (s) => writeFrame(s, FRAME.ended, end('0')), 'IMAGE_REFUSED'],
  [
    'an end with more to say',
    (s) => writeFrame(s, FRAME.ended, Buffer.from('{"exitCode":0,"artifact":{}}')),
    'IMAGE_REFUSED',
  ],
  ['a job for the trusted side', (s) => writeFrame(s, FRAME.job, Buffer.from('{}')), 'IMAGE_REFUSED'],
  [
    'two manifests',
    async (s) => {
      await writeFrame(s, FRAME.ended, end(0));
      await writeFrame(s, FRAME.manifest, manifest);
      await writeFrame(s, FRAME.manifest, manifest);
    },
    'IMAGE_REFUSED',
  ],
  [
    'other bytes than the digest is of',
    async (s) => {
      await writeFrame(s, FRAME.ended, end(0));
      await writeFrame(s, FRAME.manifest, manifest);
      await writeFrame(s, FRAME.blob, Buffer.alloc(config.length, 1));
    },
    'IMAGE_REFUSED',
  ],
  [
    'half of an image',
    async (s) => {
      await writeFrame(s, FRAME.ended, end(0));
      await writeFrame(s, FRAME.manifest, manifest);
      await writeFrame(s, FRAME.blob, config.subarray(0, 5));
      s.end();
    },
    'DOCKERFILE_BUILDER_ENDED',
  ],
])('a hostile peer sends %s', async (_, peer, code) => {
  await expect(runAgainst(peer)).rejects.toMatchObject({ code });
  expect(existsSync(join(dir, 'control/image/index.json'))).toBe(false);
});

test('a peer that says nothing is left at the deadline, one that never comes after a while', async () => {
  const reason = new Error('the deadline');
  const controller = new AbortController();
  await expect(
    runAgainst(() => void setTimeout(() => controller.abort(reason), 50), { signal: controller.signal }),
  ).rejects.toBe(reason);
  await expect(
    runIsolatedBuild({
      channel: join(dir, 'channel'),
      context: join(dir, 'context'),
      sandbox: createSandbox({ maxProcesses: 100, cookie: '' }),
      job: { dockerfile: 'Dockerfile', buildArgs: {}, labels: {} },
      output: join(dir, 'control/image'),
      onOutput: async () => undefined,
      signal: AbortSignal.timeout(20_000),
      connectMs: 50,
    }),
  ).rejects.toMatchObject({ code: 'IMAGE_BUILD_FAILED' });
});

test('a stop of the task that the other container has first is told as one', async () => {
  const controller = new AbortController();
  const reason = new Error('stopped');
  const stopSoon: Peer = (socket) => {
    socket.end();
    setTimeout(() => controller.abort(reason), 100);
  };
  await expect(runAgainst(stopSoon, { signal: controller.signal, graceMs: 5_000 })).rejects.toBe(reason);
});

test('a peer that does not read cannot hold up a build that it has ended', async () => {
  writeFileSync(join(dir, 'context/large'), Buffer.alloc(8_000_000, 1));
  const code = await runAgainst(async (socket) => {
    socket.pause();
    await writeFrame(socket, FRAME.ended, end(3));
  });
  expect(code).toBe(3);
});
