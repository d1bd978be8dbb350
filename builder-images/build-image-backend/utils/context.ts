import { chmod, chown, copyFile, cp, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { BackendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import { parsePackageManager } from '../../shared/package-manager.ts';
import { repoFolder } from '../../shared/repo-files.ts';
import { renderDockerfile, templateOf } from './dockerfile.ts';
import { builderLanguage } from './languages/index.ts';
import { layersKey } from './layers-key.ts';
import { installManifests } from './manifests.ts';
import { readPackageJson, type ServicePackage } from './package-json.ts';
import { pruneCommand } from './prune.ts';
import { type ImageStart, resolveStart } from './start.ts';
import { buildVariables, type Variables } from './variables.ts';

/** `node` of the official images, which all steps of the user's run as. */
export const NODE_UID = 1_000;
/** Where the templates mount the secrets. Kaniko has no mounts: there they are files, which no layer takes in. */
export const KANIKO_SECRETS = '/kaniko/build';

/** What runs in an image or while it is made, beside the templates. */
const TEMPLATE_PROGRAMS = ['run', 'step', 'init'];
const NODE_PROGRAMS = ['libraries.mjs', 'environment.mjs'];
const LANGUAGE_PROGRAMS = ['libraries.sh'];

/** Everything that a container builder is given. */
export interface ImageBuildContext {
  readonly folder: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Files that are mounted for the user's steps, by id (see the templates). */
  readonly secrets: Readonly<Record<string, string>>;
  readonly start: ImageStart;
  /** Of the layers up to the installation; null where that depends on the whole source. */
  readonly layersKey: string | null;
}

export interface ContextInput {
  readonly env: BackendEnv;
  readonly raw: Readonly<Record<string, string>>;
  /** Folder of this build: `source` is the checkout. */
  readonly work: string;
  readonly templates: string;
  /** Where the secrets are put. */
  readonly secrets: { readonly folder: string; readonly owner: number | null };
  readonly say: (text: string) => void;
}

/** Turns the checkout into a build context. Throws `VerenError` where the repository does not allow one. */
export async function prepareContext(input: ContextInput): Promise<ImageBuildContext> {
  const { env, work, templates, say } = input;
  const source = join(work, 'source');
  const root = await repoFolder(source, env.INSTALLPATH);
  const service = await repoFolder(source, env.BACKEND_PATH);
  const servicePath = relative(root, service) || '.';
  if (servicePath.startsWith('..'))
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: 'BACKEND_PATH lies outside of INSTALLPATH' });
  const language = builderLanguage(env.RUNTIME) ?? null;
  if (env.RUNTIME !== 'node' && language === null)
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: `no service is built with ${env.RUNTIME}` });
  // A package.json beside a service of another language is the business of its pages.
  const pkg = language === null ? await readPackageJson(service) : null;
  const start = resolveStart(env.STARTCOMMAND, scriptsOf(pkg), env.PACKAGE_MANAGER);
  say(`Start command: ${start.argv.join(' ')}`);
  const manifests =
    language === null
      ? await installManifests(root, env.INSTALLCOMMAND, parsePackageManager(env.PACKAGE_MANAGER)?.version)
      : { ...(await language.manifestsOf(root, env.INSTALLCOMMAND)), devDependencies: false, programs: [] };
  if (manifests.needsSource !== null && env.INSTALLCOMMAND !== '')
    say(`The installation is done anew at every change of the source: ${manifests.needsSource}.`);

  const folder = join(work, 'context');
  await mkdir(join(folder, 'veren'), { recursive: true });
  await keepHistory(source, join(folder, 'history'));
  await rename(root, join(folder, 'app'));
  if (manifests.needsSource === null) await copyAll(join(folder, 'app'), join(folder, 'manifests'), manifests.paths);
  const variables = buildVariables(input.raw, env);
  const steps =
    language === null
      ? {
          install: env.INSTALLCOMMAND,
          build: env.BUILDCOMMAND,
          prune: afterBuild(env, start, manifests, (await readPackageJson(join(folder, 'app')))?.workspaces),
        }
      : language.stepsOf(env.INSTALLCOMMAND, env.BUILDCOMMAND);
  const files = {
    'tools.spec': toolsSpec(env.PACKAGE_MANAGER),
    'install.command': steps.install,
    'build.command': onceOnly(steps.build, env.DEPLOYMENTID),
    'prune.command': steps.prune,
    'variables.sha256': variables.fingerprint,
    'start.json': JSON.stringify({ ...start.lifecycle, keepsManager: start.needsPackageManager }),
    'programs.list': manifests.programs.map((path) => `${path}\0`).join(''),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'veren', name), content);
  for (const name of [...TEMPLATE_PROGRAMS, ...(language === null ? NODE_PROGRAMS : LANGUAGE_PROGRAMS)]) {
    await copyFile(join(templates, name), join(folder, 'veren', name));
    await chmod(join(folder, 'veren', name), 0o755);
  }
  // What is installed here belongs to another machine.
  const installed = language === null ? ['**/node_modules'] : ['**/node_modules', '**/.venv', '**/__pycache__'];
  const ignored = ['**/.git', ...(env.INSTALLCOMMAND === '' ? [] : installed)];
  await writeFile(join(folder, '.dockerignore'), `${ignored.join('\n')}\n`);
  const dockerfile = join(folder, 'Dockerfile');
  await writeFile(dockerfile, await renderDockerfile(templates, templateOf(env), start.argv));
  return {
    folder,
    dockerfile,
    buildArgs: {
      INSTALL_FROM: manifests.needsSource === null ? 'manifests' : 'app',
      SERVICE_PATH: servicePath,
      PORT: String(env.PORT),
      ...(language !== null && env.RUNTIME_VERSION !== '' && { RUNTIME_VERSION: env.RUNTIME_VERSION }),
    },
    secrets: await writeSecrets(input, variables),
    start,
    layersKey:
      manifests.needsSource === null
        ? await layersKey([await renderDockerfile(templates, templateOf(env), []), env.RUNTIME_VERSION], folder, [
            ...['run', 'step', 'tools.spec', 'install.command', 'variables.sha256'].map((name) => join('veren', name)),
            'manifests',
          ])
        : null,
  };
}

/**
 * The repository's `.git`, beside the source: build commands ask git for versions and dates, and the layer of an installation
 * must not depend on it. `run` takes it out of the application again.
 */
async function keepHistory(source: string, to: string): Promise<void> {
  await rename(join(source, '.git'), to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const found = await lstat(to).catch(() => null);
  if (found?.isDirectory()) return;
  await rm(to, { force: true });
  await mkdir(to);
}

/**
 * The build command in a form that no other deployment has: a build may read what changes without a commit, so its layer of
 * an earlier deployment must never stand in for it.
 */
const onceOnly = (command: string, deploymentId: string) =>
  command === '' ? '' : `${command}\n# deployment ${deploymentId}`;

const scriptsOf = (pkg: ServicePackage | null) => ({
  scripts: pkg?.scripts ?? {},
  dependencies: Object.keys(pkg?.dependencies ?? {}),
  devDependencies: Object.keys(pkg?.devDependencies ?? {}),
});

function toolsSpec(packageManager: string): string {
  const want = parsePackageManager(packageManager);
  return want === null ? '' : `${want.package}@${want.version}`;
}

/** Takes dev dependencies out, and keeps the package manager where the service is started by it. */
function afterBuild(
  env: BackendEnv,
  start: ImageStart,
  manifests: { readonly devDependencies: boolean; readonly paths: readonly string[] },
  workspaces: boolean | undefined,
): string {
  const want = parsePackageManager(env.PACKAGE_MANAGER);
  const workspace = workspaces === true || manifests.paths.includes('pnpm-workspace.yaml');
  const prune =
    start.prunable && manifests.devDependencies && env.INSTALLCOMMAND !== ''
      ? pruneCommand({ manager: want?.name ?? 'npm', major: Number.parseInt(want?.version ?? '', 10), workspace })
      : null;
  const commands = [];
  // A service with its dev dependencies is larger, and works all the same.
  if (prune !== null) commands.push(`{ ${prune}; } || echo 'Dev dependencies could not be taken out of the image.'`);
  if (start.needsPackageManager) commands.push('cp -R /opt/veren/tools/. /opt/veren/runtime/');
  return commands.join('\n');
}

async function copyAll(from: string, to: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cp(join(from, path), join(to, path), { recursive: true, verbatimSymlinks: true });
  }
}

/** Readable by the user's steps alone; what only one of them may see is root's, who hands it to that one. */
async function writeSecrets({ raw, secrets }: ContextInput, variables: Variables): Promise<Record<string, string>> {
  await mkdir(secrets.folder, { recursive: true });
  const given: Record<string, string> = {};
  const writeSecret = async (id: string, name: string, content: string, mode: number, owner: number | null) => {
    const file = join(secrets.folder, name);
    await rm(file, { force: true });
    await writeFile(file, content, { mode, flag: 'wx' });
    if (owner !== null) await chown(file, owner, owner);
    given[id] = file;
  };
  await writeSecret('variables', 'variables', variables.script, 0o400, secrets.owner);
  const own = { install: variables.installScript, build: variables.buildScript, left: variables.leftPatterns };
  for (const [id, content] of Object.entries(own)) {
    // One of an earlier build of this machine must not be taken for this one's.
    await rm(join(secrets.folder, id), { force: true });
    if (content !== '') await writeSecret(id, id, content, 0o400, null);
  }
  if (raw.NODE_EXTRA_CA_CERTS)
    await writeSecret('certificates', 'ca.pem', await readFile(raw.NODE_EXTRA_CA_CERTS, 'utf8'), 0o444, secrets.owner);
  return given;
}
