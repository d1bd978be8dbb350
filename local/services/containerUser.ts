import type { ContainerEngine } from './containerEngine.ts';

/** Who runs an image that would run as root. The builders' images have this user for code of repositories, too. */
export const UNPRIVILEGED = '10001:10001';

const BLOCK = 512;

/**
 * The user that an image has to be given: none where it names one that is not root, by a number or by its own
 * /etc/passwd. The image is hostile, so what cannot be read counts as root.
 * @param probe Name of a container that is made for it, and removed
 */
export async function chooseUser(engine: ContainerEngine, image: string, probe: string): Promise<string | undefined> {
  const given = await engine.run(['image', 'inspect', '--format', '{{.Config.User}}', image]);
  const [name = ''] = given.split(':');
  if (name === '') return UNPRIVILEGED;
  if (/^\d+$/.test(name)) return Number(name) > 0 ? undefined : UNPRIVILEGED;
  await engine.remove(probe);
  await engine.create(['--name', probe, '--network', 'none', image]);
  try {
    const users = textOf(await engine.readFile(probe, '/etc/passwd'));
    const uid = users
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':')[2];
    return uid !== undefined && /^\d+$/.test(uid) && Number(uid) > 0 ? undefined : UNPRIVILEGED;
  } catch {
    return UNPRIVILEGED;
  } finally {
    await engine.remove(probe);
  }
}

/** The content of the one file of a tar archive; nothing for what is no file. Source: POSIX, pax, "ustar". */
function textOf(archive: Buffer): string {
  const type = String.fromCharCode(archive[156] ?? 0);
  if (type !== '0' && type !== '\0') return '';
  const size = Number.parseInt(archive.toString('latin1', 124, 136), 8);
  return archive.toString('utf8', BLOCK, BLOCK + size);
}
