/**
 * For Node as root, with a user's uid and gid as arguments: one signal to -1 reaches all processes of that user at once,
 * so that none escapes by a fork. From the drop on they may signal this process too, and one that stops or kills whatever
 * is like itself would do so while a shell is still starting: so nothing is started after the drop.
 */
export const END_USER = `const [uid, gid] = process.argv.slice(1).map(Number);
process.setgroups([]);
process.setgid(gid);
process.setuid(uid);
process.kill(-1, 'SIGKILL');`;
