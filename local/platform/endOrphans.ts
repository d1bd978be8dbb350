import { spawn } from 'node:child_process';
import { endUsers } from '../../builder-images/shared/endUsers.ts';
import type { BuildUsers } from './buildUsers.ts';

/**
 * POSIX shell, as root: `sh <lock file> <first uid> <last uid> <what ends users>…`. Waits until its standard input is
 * closed, which is so when the platform has ended, however. As long as no other platform has the data folder, it ends all
 * processes of these users.
 */
const END = String.raw`
trap '' HUP INT TERM
file=$1 first=$2 last=$3
shift 3
lock=$(cat "$file") || exit 0
cat >/dev/null
rounds=0
while [ "$rounds" -lt 100 ] && [ "$(cat "$file" 2>/dev/null)" = "$lock" ]; do
  rounds=$((rounds + 1)) left=
  "$@" "$first" "$last" 2>/dev/null || left=1
  for uid in $(cat /proc/[0-9]*/status 2>/dev/null | sed -n 's/^Uid://p' | tr '\t' '\n' | sort -u); do
    [ "$uid" -lt "$first" ] || [ "$uid" -gt "$last" ] || left=1
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
  const child = spawn('/bin/sh', ['-c', END, 'sh', lock, ...users, ...endUsers('setpriv')], {
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
