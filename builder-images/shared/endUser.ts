/**
 * A user id that nobody has, as the real one of what ends a user's processes: those of the user may signal only what has
 * their id as its real or saved one. Source: kill(2).
 */
const NOBODY_ELSE = 2 ** 31 - 3;

/** For Node with root as its effective user. One signal to -1 reaches all processes of the user at once, so that none escapes by a fork. */
const END_USER = `process.seteuid(Number(process.argv[1]));
try {
  process.kill(-1, 'SIGKILL');
} catch (error) {
  if (error.code !== 'ESRCH') throw error;
}`;

/**
 * What root starts to end all processes of a user, whose id is the last argument. They can neither stop nor kill it: only
 * its effective user is theirs.
 * @param setpriv Of util-linux.
 */
export const endUser = (setpriv: string): [string, ...string[]] => [
  setpriv,
  ...['--ruid', `${NOBODY_ELSE}`, '--euid', '0', '--', process.execPath, '-e', END_USER],
];
