import { fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/freePort.ts';

export interface Access {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Endpoint {
  readonly access: Access;
  /** Seconds of a processor that it has used so far. */
  readonly cpu: () => number;
  readonly close: () => Promise<void>;
}

/** Linux counts a process's time in hundredths of a second, whatever its own clock. */
const TICKS = 100;
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The laptop's endpoint in a process of its own, with so many milliseconds before each answer. */
export async function localEndpoint(dataDir: string, latencyMs: number): Promise<Endpoint> {
  const server = fork(join(import.meta.dirname, '_s3.ts'), [dataDir, String(latencyMs)]);
  const [access] = (await once(server, 'message')) as [Access];
  const close = async () => {
    server.disconnect();
    await once(server, 'exit');
  };
  return { access, cpu: () => cpuOf(server.pid!), close };
}

/** Another program as endpoint: `VERSITYGW` names the executable (`go install github.com/versity/versitygw/cmd/versitygw@latest`). */
export async function otherEndpoint(program: string, dataDir: string): Promise<Endpoint> {
  mkdirSync(dataDir, { recursive: true });
  const port = await freePort();
  const [accessKeyId, secretAccessKey] = ['bench', randomBytes(16).toString('hex')];
  const args = ['--port', `127.0.0.1:${port}`, '--region', 'ap-south-1', '--keep-alive', '--quiet', 'posix', dataDir];
  const env = { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  const server = spawn(program, args, { env, stdio: 'ignore' });
  const ended = once(server, 'exit');
  for (let left = 300; !(await answers(port)); left--) {
    if (left === 0 || server.exitCode !== null) throw new Error(`${program} does not listen`);
    await sleep(100);
  }
  const close = async () => {
    server.kill();
    await ended;
  };
  return {
    access: { url: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey },
    cpu: () => cpuOf(server.pid!),
    close,
  };
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
