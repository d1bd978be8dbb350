import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GitPolicy, gitAllowProtocol } from './gitPolicy.ts';
import type { GitFolder, GitProcessLimits } from './runGit.ts';
import { gitFolderPrefix } from './sweepGitFolders.ts';

/**
 * git sees no configuration of the machine's users: of the environment it gets only the variables by which it finds
 * itself and the certificates. Proxy variables are passed on where the policy trusts the network of the machine.
 */
const INHERITED = ['PATH', 'LD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_EXEC_PATH'];
const PROXY = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'];

/** No `promisor` remote: with one, git would fetch missing objects by itself, one by one, whenever it misses one. */
const CONFIG = `[core]
	repositoryformatversion = 0
	bare = true
	# By default git maps a gigabyte at a time and keeps 96 MiB of deltas, which is more than a process may have here.
	packedGitWindowSize = 16m
	packedGitLimit = 64m
	deltaBaseCacheLimit = 16m
	# Stream what is large instead of holding it in memory.
	bigFileThreshold = 1m
`;

/** Makes an empty bare repository in a new folder below `workDir`. Writing the three files is quicker than `git init`. */
export async function makeGitFolder(policy: GitPolicy, workDir: string = tmpdir()): Promise<GitFolder> {
  await mkdir(workDir, { recursive: true });
  const path = await mkdtemp(join(workDir, gitFolderPrefix()));
  await makeStore({ path });
  await writeFile(join(path, 'HEAD'), 'ref: refs/heads/none\n');
  await forgetRemote({ path });
  return { path, env: baseEnv(path, policy), limits: processLimits(policy) };
}

function processLimits({ maxGitMemory, maxBytes, timeoutMs }: GitPolicy): GitProcessLimits {
  // An index may be larger than its pack where objects are tiny.
  // Less than the whole time limit, so that a host that wastes processor time is distinguished from a slow one.
  return { memoryBytes: maxGitMemory, fileBytes: 2 * maxBytes, cpuSeconds: (0.5 * timeoutMs) / 1_000 };
}

const makeStore = async ({ path }: Pick<GitFolder, 'path'>): Promise<void> => {
  await mkdir(join(path, 'objects', 'pack'), { recursive: true });
  await mkdir(join(path, 'refs'));
};

/** Empties the repository, so that git does not tell the host that it has the commit already. */
export async function forgetObjects(folder: Pick<GitFolder, 'path'>): Promise<void> {
  for (const name of ['objects', 'refs', 'packed-refs', 'shallow'])
    await rm(join(folder.path, name), { recursive: true, force: true });
  await makeStore(folder);
}

/** Puts the configuration back: a filtered fetch writes itself into it as a promisor remote. */
export const forgetRemote = (folder: Pick<GitFolder, 'path'>): Promise<void> =>
  writeFile(join(folder.path, 'config'), CONFIG);

export const removeGitFolder = (folder: GitFolder): Promise<void> =>
  rm(folder.path, { recursive: true, force: true, maxRetries: 3 });

/** The part of the machine's environment that git gets. */
export function inheritedByGit(
  env: Readonly<Record<string, string | undefined>>,
  policy: GitPolicy,
): Record<string, string> {
  const names = policy.allowPrivateAddresses ? [...INHERITED, ...PROXY] : INHERITED;
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

function baseEnv(path: string, policy: GitPolicy): Record<string, string> {
  return {
    ...inheritedByGit(process.env, policy),
    HOME: path,
    XDG_CONFIG_HOME: path,
    GIT_DIR: path,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_ALLOW_PROTOCOL: gitAllowProtocol(policy),
    GIT_PROTOCOL_FROM_USER: '0',
    LC_ALL: 'C',
    // glibc reserves 64 MB of address space for each thread's arena.
    MALLOC_ARENA_MAX: '1',
  };
}

export type GitConfig = readonly (readonly [key: string, value: string])[];

/** Configuration by environment (git-config(1), GIT_CONFIG_COUNT): unlike `-c`, it is in no process list. */
export function withConfig(folder: GitFolder, config: GitConfig): GitFolder {
  const env: Record<string, string> = { ...folder.env, GIT_CONFIG_COUNT: String(config.length) };
  config.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  return { ...folder, env };
}
