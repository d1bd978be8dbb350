import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { VerenError } from '../../../../contract/errors.ts';
import { programPath } from '../../../shared/programs.ts';
import type { Sandbox } from '../../../shared/sandbox.ts';
import { FRAME, type Frame, readFrames, writeFrame } from '../../isolated/frames.ts';
import { IsolatedEndSchema, type IsolatedJob } from '../../isolated/job.ts';
import { acceptIsolated } from './channel.ts';
import { refusedImage } from './manifest.ts';
import { ReceivedLayout } from './receive-layout.ts';

export interface IsolatedBuild {
  /** Folder of the socket. */
  readonly channel: string;
  /** Folder that COPY copies from. */
  readonly context: string;
  /** Reads the context: the user that the checkout belongs to. */
  readonly sandbox: Sandbox;
  readonly job: IsolatedJob;
  /** Image layout that is written: a folder that does not exist yet, which nobody else can reach. */
  readonly output: string;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => Promise<void>;
  readonly signal: AbortSignal;
  readonly maxImageBytes?: number | undefined;
  /** @default - two minutes */
  readonly connectMs?: number | undefined;
  /** How long a stop of this container may come after the other one's. @default - 5 s */
  readonly graceMs?: number | undefined;
}

const CONNECT_MS = 120_000;
const GRACE_MS = 5_000;

/**
 * A build in the other container, as seen from the trusted one: gives it the job and the context, hears what it says, takes the
 * image and checks every byte. All that comes is treated as an attacker's. Gives the exit code of the image builder; with 0
 * the layout is complete. Throws `VerenError`, or the signal's reason.
 */
export async function runIsolatedBuild(build: IsolatedBuild): Promise<number> {
  const { signal } = build;
  const socket = await acceptIsolated(build.channel, build.connectMs ?? CONNECT_MS, signal);
  const stop = () => socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  socket.on('error', () => undefined);
  try {
    // Both at once: who only writes waits for ever for one who only writes.
    const sent = sendContext(socket, build).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    sent.catch(() => undefined);
    const exitCode = await receiveResult(socket, build);
    if (exitCode === 0) await sent;
    return exitCode;
  } catch (error) {
    signal.throwIfAborted();
    // A task that is stopped may lose this container last: then that is the reason.
    if (isLost(error)) await sleep(build.graceMs ?? GRACE_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

const lostFault = (reason: string) => new VerenError('DOCKERFILE_BUILDER_ENDED', { reason });
const isLost = (error: unknown) => error instanceof VerenError && error.code === 'DOCKERFILE_BUILDER_ENDED';

async function sendContext(socket: Socket, { context, sandbox, job }: IsolatedBuild): Promise<void> {
  await writeFrame(socket, FRAME.job, Buffer.from(JSON.stringify(job)));
  const tar = sandbox.start({
    argv: [programPath('tar'), '-C', context, '--exclude=.git', '-cf', '-', '.'],
    cwd: '/',
    env: {},
  });
  tar.stderr.resume();
  for await (const chunk of tar.stdout) await writeFrame(socket, FRAME.context, chunk as Buffer);
  const { exitCode } = await tar.ended;
  if (exitCode !== 0) throw new VerenError('IMAGE_BUILD_FAILED', { reason: 'the context could not be read' });
  await writeFrame(socket, FRAME.contextEnd);
}

async function receiveResult(socket: Socket, build: IsolatedBuild): Promise<number> {
  const state: { ended: boolean; layout: ReceivedLayout | null } = { ended: false, layout: null };
  try {
    for await (const frame of framesOf(socket)) {
      const exitCode = await take(frame, state, build);
      if (exitCode !== null) return exitCode;
    }
  } finally {
    await state.layout?.close();
  }
  throw lostFault(state.ended ? 'before its image was whole' : 'before the last step was over');
}

/** The frames of a connection; whatever ends it is its end. */
async function* framesOf(socket: Socket): AsyncGenerator<Frame> {
  const frames = readFrames(socket);
  while (true) {
    const next = await frames.next().catch((error: NodeJS.ErrnoException) => {
      throw lostFault(error.code === undefined ? error.message : `the connection broke, ${error.code}`);
    });
    if (next.done) return;
    yield next.value;
  }
}

/** Null: more has to come. */
async function take(
  { kind, payload }: Frame,
  state: { ended: boolean; layout: ReceivedLayout | null },
  { onOutput, output, maxImageBytes }: IsolatedBuild,
): Promise<number | null> {
  if (!state.ended && kind === FRAME.stdout) await onOutput('stdout', payload);
  else if (!state.ended && kind === FRAME.stderr) await onOutput('stderr', payload);
  else if (!state.ended && kind === FRAME.ended) {
    state.ended = true;
    const { exitCode } = readEnd(payload);
    if (exitCode !== 0) return exitCode;
  } else if (state.ended && !state.layout && kind === FRAME.manifest)
    state.layout = await ReceivedLayout.open(output, payload, maxImageBytes);
  else if (state.layout && kind === FRAME.blob) {
    await state.layout.write(payload);
    if (state.layout.isComplete) {
      await state.layout.complete();
      return 0;
    }
  } else throw refusedImage('what built it sent something else');
  return null;
}

function readEnd(payload: Buffer) {
  try {
    return IsolatedEndSchema.parse(JSON.parse(payload.toString('utf8')));
  } catch {
    throw refusedImage('what built it did not say how it ended');
  }
}
