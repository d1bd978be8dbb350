/**
 * A user id that nobody has, as the real one of what ends a user's processes: those of the user may signal only what has
 * their id as its real or saved one. Source: kill(2).
 */
const NOBODY_ELSE = 2 ** 31 - 3;

/**
 * For Node with root as its effective and saved user. One signal to -1 reaches all processes of a user at once, so that
 * none escapes by a fork.
 */
const END_USERS = `const [first, last] = process.argv.slice(1).map(Number);
for (let uid = first; uid <= last; uid++) {
  process.seteuid(0);
  process.seteuid(uid);
  try {
    process.kill(-1, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}`;

/**
 * What root starts to end all processes of some users; the last two arguments are the first and the last of their ids.
 * They can neither stop nor kill it: only its effective user is theirs.
 * @param setpriv Of util-linux.
 */
export const endUsers = (setpriv: string): [string, ...string[]] => [
  setpriv,
  ...['--ruid', `${NOBODY_ELSE}`, '--euid', '0', '--', process.execPath, '-e', END_USERS],
];
