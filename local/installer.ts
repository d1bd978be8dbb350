import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

/** Folders of installations under way, and the process groups that fill them. */
const unfinished = new Set<string>();
const groups = new Set<number>();

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
  for (const folder of unfinished) rmSync(folder, { recursive: true, force: true });
});

/** Removes `folder` should the process end before `work` has. */
export async function whileUnfinished<T>(folder: string, work: () => Promise<T>): Promise<T> {
  unfinished.add(folder);
  try {
    return await work();
  } finally {
    unfinished.delete(folder);
  }
}

/**
 * Waits for the end of the installation, and for the end of the pipe from this process: when the platform is killed the
 * pipe closes, and then the whole group is ended. The installed files are readable for all users, since builds have
 * their own.
 */
const SUPERVISE = 'umask 022; exec 3<&0; (cat <&3 >/dev/null; kill -KILL 0) & "$@" </dev/null 3<&-';

export interface ToolchainInstallation {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Runs an installer, which ends together with this process in any case. Throws with its output. */
export async function runInstaller({ argv, cwd, env, timeoutMs }: ToolchainInstallation): Promise<void> {
  const child = spawn('/bin/sh', ['-c', SUPERVISE, 'sh', ...argv], { cwd, env, detached: true, stdio: 'pipe' });
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  const killInstaller = () => pid !== undefined && killGroup(pid);
  const timer = setTimeout(killInstaller, timeoutMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4_096);
    });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve));
    const reason = output.trim().split('\n').at(-1);
    if (code !== 0) throw new Error(reason || 'the installation was ended');
  } finally {
    clearTimeout(timer);
    killInstaller(); // the one that waits for the pipe
    if (pid !== undefined) groups.delete(pid);
  }
}
