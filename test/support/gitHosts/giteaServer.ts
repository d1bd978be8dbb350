import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../eventually.ts';
import { freePort } from '../freePort.ts';

const run = promisify(execFile);

/** Folder with `bin/gitea` and `share/` (templates, options, public), as `.ci/gitea.sh` makes it. */
const home = process.env.GITEA_HOME;
export const giteaMissing: string | null =
  home && existsSync(join(home, 'bin/gitea')) ? null : 'no GITEA_HOME with a Gitea (.ci/gitea.sh builds one)';

export interface GiteaServer {
  readonly url: string;
  /** A call of its API as a user, by the user's token; throws for what is not 2xx. */
  call<T = unknown>(user: GiteaUser, method: string, path: string, body?: object): Promise<T>;
  addUser(name: string): Promise<GiteaUser>;
  /** A token of a user with these scopes only. */
  makeToken(user: GiteaUser, scopes: string): Promise<string>;
  close(): Promise<void>;
}

export interface GiteaUser {
  readonly name: string;
  readonly token: string;
}

const ALL_SCOPES = 'all';

/** A real Gitea on a loopback port, with SQLite and everything in a temporary folder. */
export async function startGitea(): Promise<GiteaServer> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-gitea-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'app.ini');
  await mkdir(join(folder, 'home'));
  await writeFile(config, configOf(folder, port, url));
  const program = join(home!, 'bin/gitea');
  const env = { PATH: process.env.PATH ?? '', HOME: join(folder, 'home'), GITEA_WORK_DIR: folder };
  const admin = async (...args: string[]) =>
    (await run(program, ['admin', '--config', config, ...args], { env })).stdout;
  await run(program, ['migrate', '--config', config], { env });
  const child = spawn(program, ['web', '--config', config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };

  async function call<T>(user: GiteaUser, method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `token ${user.token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  let tokens = 0;
  const makeToken = async (name: string, scopes: string) => {
    const args = ['--username', name, '--token-name', `t${tokens++}`, '--scopes', scopes, '--raw'];
    // As root it says first what it thinks of that.
    const [token] = /^[0-9a-f]{40}$/m.exec(await admin('user', 'generate-access-token', ...args)) ?? [];
    if (token === undefined) throw new Error('Gitea has made no token');
    return token;
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`Gitea has ended: ${said.join('').slice(-3_000)}`);
      return fetch(`${url}/api/healthz`).then(
        ({ status }) => status === 200,
        () => false,
      );
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    call,
    async addUser(name) {
      const who = ['--username', name, '--email', `${name}@example.com`];
      await admin('user', 'create', ...who, '--random-password', '--must-change-password=false');
      return { name, token: await makeToken(name, ALL_SCOPES) };
    },
    makeToken: (user, scopes) => makeToken(user.name, scopes),
    close,
  };
}

const configOf = (folder: string, port: number, url: string) => `
APP_NAME = test
RUN_USER = ${userInfo().username}
RUN_MODE = prod
WORK_PATH = ${folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = ${url}/
STATIC_ROOT_PATH = ${home}/share
APP_DATA_PATH = ${folder}/data
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = ${folder}/gitea.db
[repository]
ROOT = ${folder}/repositories
[security]
INSTALL_LOCK = true
SECRET_KEY = ${'s'.repeat(64)}
[webhook]
ALLOWED_HOST_LIST = loopback
DELIVER_TIMEOUT = 10
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[packages]
ENABLED = false
[mailer]
ENABLED = false
[cron.update_checker]
ENABLED = false
[log]
MODE = console
LEVEL = Warn
`;
