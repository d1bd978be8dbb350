import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type BuildUsers, chooseBuildUsers } from '../../../local/platform/buildUsers.ts';
import { openToBuilds, secureDataFolder } from '../../../local/platform/dataFolder.ts';
import { clearWork, protectData, releaseBuild } from '../../../local/platform/leftovers.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';

/** What builds may leave on a laptop that is root, and what they could put in the place of the platform's own. */
const possible = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
if (!possible && process.env.VEREN_REQUIRE_ENGINES === '1') throw new Error('this suite needs root on Linux');

const asUser = (uid: number, command: string) =>
  execFileSync(
    '/usr/bin/setpriv',
    ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--', '/bin/sh', '-c', command],
    { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin' } },
  ).trim();

(possible ? describe : describe.skip)(`users of builds${possible ? '' : ' (needs root on Linux)'}`, () => {
  afterAll(removeFolders);
  let data: string;
  let users: BuildUsers;
  let uid: number;
  beforeEach(() => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    data = join(folder, 'data');
    mkdirSync(data, { mode: 0o755 });
    users = chooseBuildUsers(data);
    uid = users.next()!.uid;
  });

  const LEAVE = (name: string) => `mkdir -p /tmp/${name}/a/closed /dev/shm/${name}; chmod 0 /tmp/${name}/a/closed
: > /var/tmp/${name}; ln -s /etc /tmp/${name}/etc; mkfifo /tmp/${name}/pipe; ipcmk -M 4096 -Q -S 2 >/dev/null`;
  const left = (name: string) => [
    ['/tmp', '/var/tmp', '/dev/shm'].filter((folder) => lstatSync(join(folder, name), { throwIfNoEntry: false })),
    ['shm', 'msg', 'sem'].filter((kind) =>
      new RegExp(`\\b${uid}\\b`).test(readFileSync(`/proc/sysvipc/${kind}`, 'utf8')),
    ),
  ];

  test.each(['the end of a build', 'the next start'])(
    'what a build leaves outside of its folder goes at %s',
    async (when) => {
      const name = `veren-left-${uid}`;
      asUser(uid, LEAVE(name));
      expect(left(name)).toEqual([
        ['/tmp', '/var/tmp', '/dev/shm'],
        ['shm', 'msg', 'sem'],
      ]);
      const variables = {
        VEREN_WORKDIR: join(data, 'work'),
        VEREN_BUILD_UID: `${uid}`,
        DEPLOYMENTID: 'd',
        ATTEMPT: '1',
      };
      await (when === 'the next start' ? clearWork(join(data, 'work'), users) : releaseBuild(variables));
      expect(left(name)).toEqual([[], []]);
      expect(existsSync('/etc/passwd')).toBe(true);
    },
  );

  test('a data folder that everybody may write to is closed before anything in it is opened', async () => {
    chmodSync(data, 0o777);
    await secureDataFolder(data, users);
    expect(() => asUser(uid, `mkdir ${data}/builder 2>/dev/null`)).toThrow();
  });

  test('a folder on the way that everybody may write to: a build could put another in its place', async () => {
    const open = join(data, 'open');
    mkdirSync(join(open, 'data'), { recursive: true });
    chmodSync(open, 0o777);
    const reason = expect.stringContaining(`everybody may write to ${open}`);
    const refused = { code: 'DATA_FOLDER_UNUSABLE', details: { path: join(open, 'data'), reason } };
    await expect(secureDataFolder(join(open, 'data'), users)).rejects.toMatchObject(refused);
    // As /tmp is: what is ours there, nobody else can move.
    chmodSync(open, 0o1777);
    await secureDataFolder(join(open, 'data'), users);
    await expect(secureDataFolder(open, users)).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  });

  test('a data folder, a link to it, or anything in it that an earlier build has made is not used', async () => {
    const belongs = {
      code: 'DATA_FOLDER_UNUSABLE',
      details: { reason: expect.stringContaining('belongs to a build') },
    };
    mkdirSync(join(data, 'builder'));
    chownSync(join(data, 'builder'), uid, uid);
    await expect(secureDataFolder(data, users)).rejects.toMatchObject(belongs);
    chownSync(join(data, 'builder'), 0, 0);
    await secureDataFolder(data, users);
    symlinkSync(join(data, 'builder'), join(data, '..', 'link'));
    execFileSync('chown', ['-h', `${uid}`, join(data, '..', 'link')]);
    await expect(secureDataFolder(join(data, '..', 'link'), users)).rejects.toMatchObject(belongs);
  });

  test('the content of a data folder is closed, but no data folder in it, as the demo’s is, and nothing of others', async () => {
    const mode = (name: string) => lstatSync(join(data, name)).mode & 0o777;
    for (const name of ['work', 'kept', 'demo', 'theirs']) mkdirSync(join(data, name), { mode: 0o755 });
    writeFileSync(join(data, 'token'), '', { mode: 0o644 });
    writeFileSync(join(data, 'demo', 'credentials.json'), '{}', { mode: 0o600 });
    chownSync(join(data, 'theirs'), 12, 12);
    await protectData(data);
    expect(['work', 'kept', 'demo', 'theirs', 'token'].map(mode)).toEqual([0o755, 0o700, 0o755, 0o755, 0o600]);
    expect(chooseBuildUsers(join(data, 'demo')).warning).toBeUndefined();
  });

  test('the demo’s folder, closed by an earlier version, is opened to builds again', async () => {
    chmodSync(data, 0o700);
    expect(chooseBuildUsers(data).warning).toContain('Builds run as root');
    await openToBuilds(data);
    expect(chooseBuildUsers(data).warning).toBeUndefined();
    await openToBuilds(join(data, 'absent'));
  });
});
