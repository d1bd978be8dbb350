import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './engines.ts';
import { freePort } from './freePort.ts';

const { VEREN_EMULATOR } = process.env;
const PREPARED = VEREN_EMULATOR ? join(VEREN_EMULATOR, 'bin/ministack') : null;
const MINISTACK = PREPARED && existsSync(PREPARED) ? PREPARED : onPath('ministack');

/** Why a suite cannot have the AWS emulator, or null. */
export const emulatorMissing = MINISTACK
  ? null
  : 'no ministack on PATH, and no VEREN_EMULATOR (a Python venv with it): `npm run test:emulator` makes one';

const REGION = 'ap-south-1';

export interface MiniStack {
  readonly url: string;
  readonly region: string;
  /** Ends it and the functions that it runs. */
  stop(): Promise<void>;
}

/**
 * MiniStack on a free port of the loopback address. Everything that it leaves on disk, its output too, is in `dir`.
 * @param ecsUrl where the deployed functions ask ECS
 */
export async function startMiniStack({ dir, ecsUrl }: { dir: string; ecsUrl: string }): Promise<MiniStack> {
  const [tmp, port] = [join(dir, 'tmp'), await freePort()];
  mkdirSync(tmp, { recursive: true });
  const child = spawn(MINISTACK!, [], {
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      TMPDIR: tmp,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      // The region of requests that nobody has signed: those to the APIs.
      MINISTACK_REGION: REGION,
      AWS_ENDPOINT_URL_ECS: ecsUrl,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    cwd: dir,
    detached: true, // a group of its own: functions are processes in it
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(join(dir, 'ministack.log'));
  for (const stream of [child.stdout!, child.stderr!]) stream.pipe(output, { end: false });
  const url = `http://127.0.0.1:${port}`;
  const stop = () => endGroup(child);
  try {
    await healthy(`${url}/_ministack/health`, child);
  } catch (e) {
    await stop();
    throw e;
  }
  return { url, region: REGION, stop };
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + 60_000; ; ) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    if (Date.now() > until || child.exitCode !== null)
      throw new Error('MiniStack does not answer; see its ministack.log');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function endGroup(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
  }
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {} // nothing is left of it
}
