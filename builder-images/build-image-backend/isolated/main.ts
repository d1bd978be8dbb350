import { join } from 'node:path';
import { connectToBuilder } from './connect.ts';
import { SOCKET_NAME } from './job.ts';
import { serveBuild } from './serve.ts';

/** Longer than any build, which ends this container with its own. */
const WAIT_MS = 4_000_000;

/**
 * The second container of a Dockerfile's build. Its environment is the image's alone: no secret, no credential, nothing of the
 * job. What it builds may become root in here; all that it can reach is this container's own file system and this socket.
 */
async function runIsolated(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { VEREN_CHANNEL: channel, VEREN_KANIKO: executor, VEREN_WORKDIR: work } = env;
  if (!channel || !executor || !work) throw new Error('VEREN_CHANNEL, VEREN_KANIKO or VEREN_WORKDIR is missing');
  let connected = false;
  // With a build under way the other container decides when it is over: it hears of the same stop.
  process.on('SIGTERM', () => {
    if (!connected) process.exit(143);
  });
  const socket = await connectToBuilder(join(channel, SOCKET_NAME), WAIT_MS);
  if (!socket) throw new Error('the builder did not come up');
  connected = true;
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  await serveBuild(socket, { executor, work, env });
}

runIsolated(process.env).catch((error: unknown) => {
  console.error(`veren: ${(error as Error).message}`);
  process.exit(1);
});
