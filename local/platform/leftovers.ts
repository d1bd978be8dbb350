import { chmod, lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCookie, buildIdOf } from '../../builder-images/shared/fetch.ts';
import { removeTree } from '../../builder-images/shared/processes.ts';
import { createSandbox, endProcessesOf } from '../../builder-images/shared/sandbox.ts';
import { BUILD_ID_FILE, UNFINISHED } from '../../builder-images/shared/work-folder.ts';
import { CREDENTIALS_FILE } from '../awsProtocol/credentials.ts';
import type { BuildUsers } from './buildUsers.ts';
import { removeLeftFiles } from './leftFiles.ts';

const namesIn = (folder: string) => readdir(folder).catch((): string[] => []);

/**
 * Ends the processes of a user or with a mark. It gives up after one try, so that an unkillable process does not block
 * it.
 */
const killAll = (options: { uid?: number; cookie: string }) =>
  createSandbox({ ...options, gid: options.uid, maxProcesses: 1 })
    .killAll()
    .catch(() => undefined);

/**
 * Cleans up after a builder: ends all processes of its build, and removes its work folder and what it has left
 * elsewhere. A builder that ends by itself has done the first two; one that was killed has not.
 * @param variables What the builder was started with.
 */
export async function releaseBuild(variables: Readonly<Record<string, string>>): Promise<void> {
  const { VEREN_WORKDIR: parent, VEREN_BUILD_UID: uid } = variables;
  if (parent === undefined) return;
  if (uid !== undefined) {
    await killAll({ uid: Number(uid), cookie: '' });
    await removeLeftFiles((owner) => owner === Number(uid));
  }
  const id = buildIdOf(variables);
  for (const name of await namesIn(parent)) {
    const work = join(parent, name);
    const owner = name === UNFINISHED + id ? id : await readFile(join(work, BUILD_ID_FILE), 'utf8').catch(() => '');
    if (owner !== id) continue;
    if (uid === undefined) await killAll({ cookie: buildCookie(variables, work) });
    await removeTree(work);
  }
}

/** Ends the processes of builds from before a restart, and removes their folders. */
export async function clearWork(work: string, users: BuildUsers): Promise<void> {
  if (users.range) await endProcessesOf(users.range.first, users.range.last).catch(() => undefined);
  if (users.warning === undefined) await removeLeftFiles((uid) => users.owns(uid));
  for (const name of await namesIn(work)) {
    const id = await readFile(join(work, name, BUILD_ID_FILE), 'utf8').catch(() => '');
    if (id !== '') await killAll({ cookie: `VEREN_BUILD=${id}-${name}` });
    await removeTree(join(work, name));
  }
}

/** Installations that a killed platform did not finish, and the locks that it held. */
export async function clearToolchains(toolchains: string): Promise<void> {
  for (const folder of [toolchains, join(toolchains, 'tools')])
    for (const name of await namesIn(folder))
      if (name.startsWith(UNFINISHED) || name.endsWith('.lock'))
        await rm(join(folder, name), { recursive: true, force: true });
}

/** The folders that builds may enter and read; everything else in the data folder is closed to them. */
const FOR_BUILDS: readonly string[] = ['work', 'toolchains', 'builder', 'services'];

/**
 * Makes the platform's files unreadable for other users, also in a data folder of an earlier version. It does not
 * change files of other owners, nor a data folder inside of this one, such as the demo's: that protects its own
 * content, and its builds could not enter it any more.
 */
export async function protectData(dataDir: string): Promise<void> {
  for (const name of await namesIn(dataDir)) {
    const path = join(dataDir, name);
    const info = await lstat(path).catch(() => null);
    if (!info || info.isSymbolicLink() || FOR_BUILDS.includes(name) || info.uid !== process.getuid?.()) continue;
    if (info.isDirectory() && (await isDataFolder(path))) continue;
    await chmod(path, info.mode & 0o700).catch(() => undefined);
  }
}

const isDataFolder = async (path: string) => (await lstat(join(path, CREDENTIALS_FILE)).catch(() => null)) !== null;
