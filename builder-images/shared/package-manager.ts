import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { runCommand } from './command.ts';
import type { Sandbox } from './sandbox.ts';

export type PackageManagerName = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** What a bare name means: the newest line that runs on every Node major that we serve. */
const DEFAULT_VERSION: Readonly<Record<PackageManagerName, string>> = { npm: '', pnpm: '10', yarn: '1', bun: '1' };

export interface Wanted {
  readonly name: PackageManagerName;
  /** The npm package that holds it. */
  readonly package: string;
  /** Exact, or the beginning of a version (`9`, `9.1`): then the newest that begins so. */
  readonly version: string;
}

/** `name@version` of PACKAGE_MANAGER; null where nothing has to be prepared (npm comes with Node). */
export function wanted(spec: string): Wanted | null {
  const [name, given = ''] = spec.split('@') as [PackageManagerName | '', string?];
  if (name === '' || name === 'npm') return null;
  // Corepack's form: `pnpm@9.1.0+sha512.…`. The registry's integrity check does the same work.
  const version = given.split('+')[0] || DEFAULT_VERSION[name];
  const berry = name === 'yarn' && !/^[01](\.|$)/.test(version);
  return { name, package: berry ? '@yarnpkg/cli-dist' : name, version };
}

const isExact = (version: string) => /^\d+\.\d+\.\d+/.test(version);
const numbers = (version: string) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
function newerFirst(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] ?? 0) - (x[i] ?? 0);
  return 0;
}

/** The prepared version that fits, `<folder>/<name>@<version>`. */
async function prepared(folder: string, want: Wanted): Promise<string | null> {
  const entries = await readdir(folder).catch(() => []);
  const fits = (v: string) => (isExact(want.version) ? v === want.version : `${v}.`.startsWith(`${want.version}.`));
  const versions = entries
    .filter((entry) => entry.startsWith(`${want.name}@`))
    .map((entry) => entry.slice(want.name.length + 1))
    .filter(fits)
    .sort(newerFirst);
  return versions[0] === undefined ? null : join(folder, `${want.name}@${versions[0]}`);
}

export interface Preparation {
  readonly spec: string;
  /** Folders with prepared ones, in the order in which they are looked at; a new one goes to the last. */
  readonly tools: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Makes the package manager available and gives the folder of its commands, to be put on PATH; null for npm. What is not
 * there is installed from the npm registry, as the user that the build runs as: the version is the repository's choice.
 * Throws `VerenError('TOOLCHAIN_UNAVAILABLE')`.
 */
export async function preparePackageManager(input: Preparation): Promise<string | null> {
  const want = wanted(input.spec);
  if (want === null) return null;
  for (const folder of input.tools) {
    const found = await prepared(folder, want);
    if (found) return join(found, 'node_modules/.bin');
  }
  input.say(`Preparing ${want.name}@${want.version}`);
  return join(await install(want, input), 'node_modules/.bin');
}

async function install(want: Wanted, input: Preparation): Promise<string> {
  const target = input.tools[input.tools.length - 1]!;
  const output: string[] = [];
  // Made by the sandbox's user, since it is the one who writes into it.
  const staging =
    input.sandbox.uid === undefined ? await mkdtemp(join(target, '.new-')) : join(target, `.new-${want.name}`);
  const spec = `${want.package}@${want.version}`;
  const flags = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--no-package-lock'];
  const { exitCode, stopped } = await runCommand({
    argv: input.sandbox.wrap(['npm', 'install', '--global=false', '--prefix', staging, ...flags, '--', spec]),
    cwd: target,
    env: input.env,
    signal: input.signal,
    onOutput: (_, chunk) => {
      if (output.length < 50) output.push(chunk.toString());
    },
  });
  if (stopped) input.signal.throwIfAborted();
  if (exitCode !== 0) {
    await rm(staging, { recursive: true, force: true });
    const reason = output.join('').trim().split('\n')[0] ?? '';
    throw new VerenError('TOOLCHAIN_UNAVAILABLE', { version: `of ${spec}`, reason });
  }
  const manifest = await readFile(join(staging, 'node_modules', want.package, 'package.json'), 'utf8');
  const final = join(target, `${want.name}@${(JSON.parse(manifest) as { version: string }).version}`);
  // Another build of the same laptop may have been faster: then its folder is as good.
  await rename(staging, final).catch(() => rm(staging, { recursive: true, force: true }));
  return final;
}
