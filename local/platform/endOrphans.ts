import { spawn } from 'node:child_process';
import { END_USER } from '../../builder-images/shared/endUser.ts';
import type { BuildUsers } from './buildUsers.ts';

/**
 * POSIX shell, as root: `sh <lock file> <first uid> <last uid> <node> <END_USER>`. Waits until its standard input is closed, which is so
 * when the platform has ended, however. As long as no other platform has the data folder, it ends all processes of these
 * users. A program of theirs that stops what ends it holds up nothing: its end is not waited for.
 */
const END = String.raw`
trap '' HUP INT TERM
lock=$(cat "$1") || exit 0
cat >/dev/null
rounds=0
while [ "$rounds" -lt 100 ] && [ "$(cat "$1" 2>/dev/null)" = "$lock" ]; do
  rounds=$((rounds + 1)) left=
  for uid in $(cat /proc/[0-9]*/status 2>/dev/null | sed -n 's/^Uid://p' | tr '\t' '\n' | sort -u); do
    [ "$uid" -ge "$2" ] && [ "$uid" -le "$3" ] || continue
    left=1
    "$4" -e "$5" "$uid" "$uid" 2>/dev/null &
  done
  [ -n "$left" ] || exit 0
  sleep 0.3
done
`;

/**
 * From now on whatever a repository has brought ends together with this process, also where that is killed: it could
 * answer at the platform's port then, and would be given the token. Only where it has users of its own. Gives what ends
 * the watch.
 */
export function endOrphans(lock: string, { range }: Pick<BuildUsers, 'range'>): () => Promise<void> {
  if (!range) return async () => undefined;
  const users = [String(range.first), String(range.last)];
  const child = spawn('/bin/sh', ['-c', END, 'sh', lock, ...users, process.execPath, END_USER], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C, and the end of a terminal, are not for it.
    detached: true,
  });
  child.unref();
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}
