import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type Engine, engineVariables, findEngine } from '../../builder-images/build-image-backend/utils/engine.ts';
import { bundleBuilder } from '../../builder-images/bundle.ts';
import { BUILDERS, type Builder, type Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import { DEFAULT_NODE_MAJOR, type NodeMajor } from '../../contract/node-lines.ts';
import { NodeMajorSchema } from '../../contract/plan.ts';
import type { BuildRef } from '../../lambdas/domain/events.ts';
import type { Image, TaskDefinition } from '../ecs/taskDefinition.ts';
import { ensureToolchain, type WhileDownloading } from '../toolchains.ts';
import type { BuildUsers } from './buildUsers.ts';
import { releaseBuild } from './leftovers.ts';

const BUILDER_IMAGES = resolve(import.meta.dirname, '../../builder-images');
const ENTRY = { frontend: 'builder-image-frontend/main.sh', backend: 'build-image-backend/main.sh' } as const;

/** The variables of the platform's environment that builds get: those for reaching the network, never a secret. */
const PASSED_ON = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'npm_config_registry',
  'npm_config_cafile',
  'PIP_CERT',
  'PIP_INDEX_URL',
];
/** Where the programs are that builds expect besides Node: sh, git, tar, compilers. */
export const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/homebrew/bin';

export type HostEnv = Readonly<Record<string, string | undefined>>;

/**
 * Bundles the scripts of the images. Toolchains are fetched when a build first needs one. Returns the replacement for a
 * builder's image: its entry point, and the environment that its Dockerfile would set.
 */
async function laptopImages(
  dataDir: string,
  hostEnv: HostEnv,
  users: BuildUsers,
  variables: Readonly<Record<string, string>>,
  tellToolchain: TellToolchain,
): Promise<(builder: Builder) => Image> {
  const folder = join(dataDir, 'builder');
  const scripts = { frontend: join(folder, 'frontend.mjs'), backend: join(folder, 'backend.mjs') };
  await mkdir(folder, { recursive: true });
  await Promise.all([bundleBuilder('frontend', scripts.frontend), bundleBuilder('backend', scripts.backend)]);
  const work = workFolder(dataDir);
  const tools = join(dataDir, 'toolchains', 'tools');
  await Promise.all([mkdir(work, { recursive: true }), mkdir(tools, { recursive: true })]);
  // Builds enter these as other users; they own what they may write, which is in their own folder below `work`.
  for (const open of [folder, work, dirname(tools), tools]) await chmod(open, 0o755);
  for (const script of Object.values(scripts)) await chmod(script, 0o644);
  return ({ target, nodeMajors }) => ({
    entryPoint: ['/usr/bin/env', 'bash', join(BUILDER_IMAGES, ENTRY[target])],
    environment: async (given) => {
      // The person's PATH comes last, to find a container engine; no other program is started from there.
      const own = target === 'backend' ? hostEnv.PATH : undefined;
      const folders = target === 'backend' && (await buildsInFolder(given, hostEnv));
      // Where an image is made, the user's Node runs inside it, not here.
      const major = target === 'frontend' ? nodeMajors[0]! : folders ? majorOf(given) : undefined;
      const whileDownloading = tellWhileDownloading(buildOf(target, given), tellToolchain);
      const node = major && (await ensureToolchain(major, dataDir, { whileDownloading })).binDir;
      const path = [node, dirname(process.execPath), SYSTEM_PATH, own].filter((p) => p !== undefined && p !== '');
      const user = users.next();
      return {
        PATH: path.join(delimiter),
        HOME: work,
        LANG: 'C.UTF-8',
        VEREN_NODE: process.execPath,
        VEREN_SCRIPT: scripts[target],
        VEREN_WORKDIR: work,
        VEREN_TOOLS: tools,
        // A site's generator is taken from where the person has it.
        ...(target === 'frontend' && hostEnv.PATH !== undefined && { VEREN_TOOL_PATH: hostEnv.PATH }),
        ...(user && { VEREN_BUILD_UID: String(user.uid), VEREN_BUILD_GID: String(user.gid) }),
        ...passedOn(hostEnv),
        ...(target === 'backend' && engineVariables(hostEnv)),
        ...(folders && { VEREN_SERVICE_FOLDERS: '1' }),
        ...variables,
      };
    },
    release: releaseBuild,
  });
}

/** Publishes that the download of a build's toolchain has begun or ended. */
export type TellToolchain = (build: BuildRef, state: 'started' | 'finished') => Promise<void>;

/** The build that a task is for, by the overrides that it is started with. */
const buildOf = (target: Target, given: Readonly<Record<string, string>>): BuildRef => ({
  target,
  deploymentId: given.DEPLOYMENTID ?? '',
  projectId: given.PROJECT_ID ?? '',
  attempt: Number(given.ATTEMPT),
  correlationId: given.CORRELATION_ID,
});

/** Whether it is told or not, the build goes on. */
function tellWhileDownloading(build: BuildRef, tell: TellToolchain): WhileDownloading {
  return async (work) => {
    await tell(build, 'started').catch(() => undefined);
    try {
      return await work();
    } finally {
      await tell(build, 'finished').catch(() => undefined);
    }
  };
}

/** An engine of this machine, with the whole environment of its program. */
export type LaptopEngine = Exclude<Engine, { kind: 'kaniko' }>;

/** The first of docker, podman and buildah that is there and answers; null for none. */
export async function findLaptopEngine(hostEnv: HostEnv): Promise<LaptopEngine | null> {
  const raw = { ...engineVariables(hostEnv), PATH: [SYSTEM_PATH, hostEnv.PATH ?? ''].join(delimiter) };
  try {
    const engine = await findEngine({}, raw);
    return engine.kind === 'kaniko' ? null : engine;
  } catch (error) {
    if (error instanceof VerenError && error.code === 'NO_CONTAINER_BUILDER') return null;
    throw error;
  }
}

/** `none` of VEREN_CONTAINER_ENGINE: backends run as processes, also where docker, podman or buildah are. */
export const usesNoEngine = (hostEnv: HostEnv): boolean => hostEnv.VEREN_CONTAINER_ENGINE === 'none';

/**
 * A Node backend without a Dockerfile of its own needs no container engine. Buildah alone makes images that nothing here
 * would run, so it is used where the person names it: `buildah` of VEREN_CONTAINER_ENGINE.
 */
async function buildsInFolder(given: Readonly<Record<string, string>>, hostEnv: HostEnv): Promise<boolean> {
  if (usesNoEngine(hostEnv)) return true;
  if (given.DOCKERFILE !== undefined || (given.RUNTIME ?? 'node') !== 'node') return false;
  const engine = await findLaptopEngine(hostEnv);
  return engine === null || (engine.kind === 'buildah' && hostEnv.VEREN_CONTAINER_ENGINE !== 'buildah');
}

const majorOf = ({ NODE_VERSION }: Readonly<Record<string, string>>): NodeMajor =>
  NodeMajorSchema.safeParse(Number(NODE_VERSION)).data ?? DEFAULT_NODE_MAJOR;

/**
 * What the laptop's runner starts for each row of the table of builders.
 * @param variables further variables of every image
 * @param tellToolchain Is told of the download of a build's toolchain.
 */
export async function laptopTaskDefinitions(
  dataDir: string,
  hostEnv: HostEnv,
  users: BuildUsers,
  variables: Readonly<Record<string, string>> = {},
  tellToolchain: TellToolchain = async () => undefined,
): Promise<TaskDefinition[]> {
  const imageOf = await laptopImages(dataDir, hostEnv, users, variables, tellToolchain);
  return BUILDERS.map((b) => ({
    cluster: b.cluster,
    family: b.family,
    containerName: b.container,
    image: imageOf(b),
  }));
}

/** A hash of the builders' scripts, after they were bundled. */
export async function builderScriptsVersion(dataDir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['frontend.mjs', 'backend.mjs']) hash.update(await readFile(join(dataDir, 'builder', name)));
  return hash.digest('hex');
}

export const workFolder = (dataDir: string) => join(dataDir, 'work');

/** What programs of users get of the environment of the person, for reaching the network. */
export function passedOn(hostEnv: HostEnv): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = hostEnv[name];
    if (value) given[name] = value;
  }
  return given;
}
