import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, open, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { VerenError } from '../contract/errors.ts';
import { NODE_LINES, type NodeMajor } from '../contract/node-lines.ts';
import { runInstaller, whileUnfinished } from './installer.ts';
import { lockFile } from './lockFile.ts';

const run = promisify(execFile);

export interface Toolchain {
  /** Holds `node`, `npm` and `npx`, for PATH. */
  readonly binDir: string;
  readonly source: 'host' | 'npm';
}

/** Tells somebody of the download, which is `work`. */
export type WhileDownloading = <T>(work: () => Promise<T>) => Promise<T>;

type Install = (prefix: string, packages: readonly string[]) => Promise<void>;

export interface ToolchainOptions {
  /** The Node that runs us, and its version. Default: this process's. */
  readonly host?: { readonly node: string; readonly version: string };
  /** Installs packages into a folder. Default: the host's npm. */
  readonly install?: Install;
  /** Does what takes its time, where something has to be downloaded. */
  readonly whileDownloading?: WhileDownloading;
}

const NAMES = ['node', 'npm', 'npx'] as const;
/**
 * A Node of the wanted major with the npm that it has on AWS: the host's own where it fits, otherwise the npm package
 * `node@<major>`, installed once below `<dataDir>/toolchains`, also when several processes need it at the same time.
 * Throws `VerenError('TOOLCHAIN_UNAVAILABLE')`.
 */
export async function ensureToolchain(
  major: NodeMajor,
  dataDir: string,
  options: ToolchainOptions = {},
): Promise<Toolchain> {
  const host = options.host ?? { node: process.execPath, version: process.versions.node };
  const folder = join(dataDir, 'toolchains');
  const { whileDownloading = (work) => work() } = options;
  try {
    await mkdir(folder, { recursive: true });
    if (Number.parseInt(host.version, 10) === major) {
      const binDir =
        (await hostWithNpm(folder, host, major, options.install ?? npmInstall(host.node), whileDownloading)) ??
        (await hostToolchain(folder, host.node, host.version));
      if (binDir) return { binDir, source: 'host' };
    }
    const target = join(folder, `node-${major}`);
    if (!(await isUsable(target, major)))
      await whileDownloading(() =>
        withLock(`${target}.lock`, async () => {
          if (!(await isUsable(target, major)))
            await installToolchain(target, major, options.install ?? npmInstall(host.node));
        }),
      );
    return { binDir: join(target, 'bin'), source: 'npm' };
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) || (error as Error).message;
    throw new VerenError('TOOLCHAIN_UNAVAILABLE', { version: major, reason }, { cause: error });
  }
}

/**
 * The host's Node with the npm of its line, installed once, for a host with another npm (people update it). Null where
 * the host's npm is the right one, or where the registry does not answer, so that the host's is used.
 */
async function hostWithNpm(
  folder: string,
  host: { readonly node: string; readonly version: string },
  major: NodeMajor,
  install: Install,
  whileDownloading: WhileDownloading,
): Promise<string | null> {
  const npm = await hostNpm(host.node);
  const npmMajor = NODE_LINES[major].npm;
  if (!npm || (await npmMajorOf(npm)) === npmMajor) return null;
  const target = join(folder, `host-${host.version}-npm${npmMajor}`);
  const bin = join(target, 'bin');
  const links = {
    node: host.node,
    npm: '../node_modules/npm/bin/npm-cli.js',
    npx: '../node_modules/npm/bin/npx-cli.js',
  };
  try {
    if (!(await allThere(bin)))
      await whileDownloading(() =>
        withLock(`${target}.lock`, async () => {
          if (await allThere(bin)) return;
          const staging = await mkdtemp(join(folder, '.new-'));
          await whileUnfinished(staging, () => fillAndLink(staging, target, [`npm@${npmMajor}`], links, install));
        }),
      );
    return bin;
  } catch {
    return null;
  }
}

async function fillAndLink(
  staging: string,
  target: string,
  packages: readonly string[],
  links: Readonly<Record<(typeof NAMES)[number], string>>,
  install: Install,
): Promise<void> {
  try {
    await install(staging, packages);
    const bin = join(staging, 'bin');
    await mkdir(bin);
    for (const name of NAMES) await symlink(links[name], join(bin, name));
    if (!(await allThere(bin))) throw new Error(`${packages.join(' and ')} hold no npm`);
    for (const open of [staging, bin]) await chmod(open, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function npmMajorOf(npm: string): Promise<number | null> {
  try {
    const { version } = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')) as { version?: unknown };
    return Number.parseInt(String(version), 10);
  } catch {
    return null;
  }
}

/** Links to the host's commands, so that PATH gets these three and not everything that lies beside them. */
async function hostToolchain(folder: string, node: string, version: string): Promise<string | null> {
  const npm = await hostNpm(node);
  if (!npm) return null;
  const target = join(folder, `host-${version}`, 'bin');
  const links = { node, npm: join(npm, 'bin/npm-cli.js'), npx: join(npm, 'bin/npx-cli.js') };
  if (await allThere(target)) return target;
  const staging = await mkdtemp(join(folder, '.new-'));
  await mkdir(join(staging, 'bin'));
  for (const name of NAMES) await symlink(links[name], join(staging, 'bin', name));
  for (const open of [staging, join(staging, 'bin')]) await chmod(open, 0o755);
  await rm(dirname(target), { recursive: true, force: true });
  // If another process was first, its links are used.
  await rename(staging, dirname(target)).catch(() => rm(staging, { recursive: true, force: true }));
  return target;
}

/** The folder of the npm that came with a Node; null where a distribution packages it apart. */
async function hostNpm(node: string): Promise<string | null> {
  const npm = join(dirname(dirname(node)), 'lib/node_modules/npm');
  return access(join(npm, 'bin/npm-cli.js')).then(
    () => npm,
    () => null,
  );
}

const allThere = (binDir: string) =>
  Promise.all(NAMES.map((name) => stat(join(binDir, name)))).then(
    () => true,
    () => false,
  );

async function isUsable(target: string, major: NodeMajor): Promise<boolean> {
  const version = await readFile(join(target, 'version'), 'utf8').catch(() => '');
  return version.startsWith(`v${major}.`) && allThere(join(target, 'bin'));
}

/** Installs atomically: a folder with the final name is complete, and its `node -v` was checked. */
async function installToolchain(target: string, major: NodeMajor, install: Install): Promise<void> {
  const staging = await mkdtemp(join(dirname(target), '.new-'));
  await whileUnfinished(staging, () => fillAndName(staging, target, major, install));
}

async function fillAndName(staging: string, target: string, major: NodeMajor, install: Install): Promise<void> {
  try {
    await install(staging, [`node@${major}`, `npm@${NODE_LINES[major].npm}`]);
    const bin = join(staging, 'bin');
    await mkdir(bin);
    await symlink('../node_modules/node/bin/node', join(bin, 'node'));
    for (const name of ['npm', 'npx'] as const)
      await symlink(`../node_modules/npm/bin/${name}-cli.js`, join(bin, name));
    const { stdout } = await run(join(bin, 'node'), ['-v'], { env: {} });
    if (!stdout.startsWith(`v${major}.`)) throw new Error(`the package node@${major} holds ${stdout.trim()}`);
    const file = await open(join(staging, 'version'), 'wx');
    await file.writeFile(stdout.trim());
    await file.close();
    for (const open of [staging, bin]) await chmod(open, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Variables of the platform's environment by which npm reaches its registry; never a token of ours. */
const NPM_ENV =
  /^(?:HOME|LANG|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|(?:https?|no|all)_proxy|npm_config_(?:registry|cafile|userconfig|globalconfig|cache|proxy|https_proxy|noproxy|strict_ssl))$/i;

function npmEnvironment(node: string): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => NPM_ENV.test(name)) as [string, string][];
  return { ...Object.fromEntries(given), PATH: `${dirname(node)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin` };
}

/** The package `node` links its platform's binary in an install script, so scripts are allowed for this one installation. */
const npmInstall = (node: string) => async (prefix: string, packages: readonly string[]) => {
  const npm = await hostNpm(node);
  const first: [string, ...string[]] = npm ? [node, join(npm, 'bin/npm-cli.js')] : ['npm'];
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--ignore-scripts=false'];
  await runInstaller({
    argv: [...first, 'install', '--global=false', '--prefix', prefix, ...flags, '--', ...packages],
    cwd: prefix,
    env: npmEnvironment(node),
    timeoutMs: 5 * 60_000,
  });
};

/** Holds a lock during `work`; waits for another holder. */
async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    const locked = await lockFile(path);
    if (typeof locked === 'number') await sleep(200);
    else return work().finally(locked);
  }
}
