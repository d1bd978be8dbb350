import type { ContainerEngine } from './containerEngine.ts';

/** Who runs an image that would run as root. The builders' images have this user and group for code of repositories, too. */
const UNPRIVILEGED = 10_001;

const BLOCK = 512;
const NAME = /^[a-z_][a-z0-9_-]*$/;
/** Engines refuse larger ones, or wrap them around to root. */
const LARGEST = 2 ** 31 - 1;

export interface ChosenUser {
  /** `<uid>:<gid>`, neither of them 0. As numbers, so that the engine reads no name in its own way. */
  readonly user: string;
  /** The image's own user is root, or cannot be told from root. */
  readonly isRefused: boolean;
}

/**
 * Who runs an image: its own user and group, by a number or by its own /etc/passwd and /etc/group, where they are not root.
 * The image is hostile, so what cannot be read counts as root.
 * @param probe Name of a container that is made for it, and removed
 */
export async function chooseUser(engine: ContainerEngine, image: string, probe: string): Promise<ChosenUser> {
  const refused = { user: `${UNPRIVILEGED}:${UNPRIVILEGED}`, isRefused: true };
  const given = await engine.run(['image', 'inspect', '--format', '{{.Config.User}}', image]);
  const [name = '', group] = given.split(':');
  if (numberOf(name) === undefined && !NAME.test(name)) return refused;
  await engine.remove(probe);
  await engine.create(['--name', probe, '--network', 'none', image]);
  const rowsOf = async (path: string) => rowsIn(await engine.readFile(probe, path).catch(() => Buffer.alloc(0)));
  try {
    const byNumber = numberOf(name);
    const own = (await rowsOf('/etc/passwd')).find(([called, , uid]) =>
      byNumber === undefined ? called === name : numberOf(uid) === byNumber,
    );
    const uid = byNumber ?? numberOf(own?.[2]);
    if (uid === undefined) return refused;
    const gid =
      group === undefined
        ? numberOf(own?.[3])
        : (numberOf(group) ??
          (NAME.test(group)
            ? numberOf((await rowsOf('/etc/group')).find(([called]) => called === group)?.[2])
            : undefined));
    return { user: `${uid}:${gid ?? UNPRIVILEGED}`, isRefused: false };
  } finally {
    await engine.remove(probe);
  }
}

/** Of a user or group that is not root. */
function numberOf(text = ''): number | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  return number > 0 && number <= LARGEST ? number : undefined;
}

/** Engines trim lines before they compare names. Source: github.com/moby/sys, user/user.go. */
const rowsIn = (archive: Buffer): string[][] =>
  textOf(archive)
    .split('\n')
    .map((line) => line.trim().split(':'));

/** The content of the one file of a tar archive; nothing for what is no file. Source: POSIX, pax, "ustar". */
function textOf(archive: Buffer): string {
  const type = String.fromCharCode(archive[156] ?? 0);
  if (type !== '0' && type !== '\0') return '';
  const size = Number.parseInt(archive.toString('latin1', 124, 136), 8);
  return archive.toString('utf8', BLOCK, BLOCK + size);
}
