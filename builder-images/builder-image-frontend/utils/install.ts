import { join } from 'node:path';
import type { FrontendEnv } from '../../../contract/builder-env.ts';
import { preparePackageManager, toolsTarget } from '../../shared/package-manager.ts';
import { repoFolder } from '../../shared/repo-files.ts';
import type { Sandbox } from '../../shared/sandbox.ts';
import { installVariables } from '../../shared/step-variables.ts';
import type { CachedInstallation } from './cache/cache.ts';
import type { Storage } from './storage.ts';

export interface InstallInput {
  readonly env: FrontendEnv;
  readonly work: string;
  /** VEREN_TOOLS. */
  readonly tools: string;
  readonly sandbox: Sandbox;
  readonly storage: Storage;
  /** PATH of the image. */
  readonly imagePath: string;
  /** Environment in which a package manager is installed. */
  readonly preparation: Readonly<Record<string, string>>;
  /** Folders with the site's generator, for PATH. */
  readonly generatorPath: readonly string[];
  /** The environment of an installation, with these folders before PATH. */
  readonly environment: (path: readonly string[]) => Record<string, string>;
  readonly run: (command: string, cwd: string, path: readonly string[]) => Promise<void>;
  /** Called when all that installs has run, and before anything of it is kept or built with. */
  readonly clearSecrets: () => Promise<void>;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface InstallResult {
  /** Folders of the package manager, for PATH. */
  readonly path: readonly string[];
  /** For the cache; null where there is none. */
  readonly installation: CachedInstallation | null;
}

/** The install phase: the state of an earlier build with the same lockfile, or else the install command. */
export async function installPackages(input: InstallInput): Promise<InstallResult> {
  const { env, work, sandbox, storage, say, signal } = input;
  const source = join(work, 'source');
  const cwd = await repoFolder(source, env.INSTALLPATH);
  const commands = await preparePackageManager({
    spec: env.PACKAGE_MANAGER,
    imagePath: input.imagePath,
    tools: [input.tools],
    target: toolsTarget(sandbox, input.tools, work),
    env: input.preparation,
    sandbox,
    signal,
    say,
  });
  const path = [...(commands === null ? [] : [commands]), ...input.generatorPath];
  const runs = env.INSTALLCOMMAND !== '';
  const { cache } = storage;
  if (!cache) {
    if (runs) await input.run(env.INSTALLCOMMAND, cwd, path);
    await input.clearSecrets();
    return { path, installation: null };
  }

  const repository = { source, work, sandbox, env: input.environment(path), packageManager: env.PACKAGE_MANAGER };
  const inputs = await storage.cacheInputs({
    ...repository,
    installCommand: env.INSTALLCOMMAND,
    installPath: env.INSTALLPATH,
    nodeMajor: env.NODE_VERSION,
    buildEnv: installVariables(env),
    fingerprintKey: env.FINGERPRINT_KEY,
  });
  const restored = await cache.restoreInstall(inputs);
  if (restored !== null) say(`Restored what "${env.INSTALLCOMMAND}" made of the same lockfile in ${restored}.`);
  else if (runs) await input.run(env.INSTALLCOMMAND, cwd, path);
  await input.clearSecrets();
  const installed =
    runs && restored === null
      ? await storage.listInstalled({ ...repository, path: env.FRONTENDPATH, inputs }).catch(() => null)
      : null;
  await cache.restoreFrameworks(inputs);
  return { path, installation: { inputs, installed } };
}
