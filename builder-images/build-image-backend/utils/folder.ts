import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join, relative } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VerenError } from '../../../contract/errors.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { Artifact, ServiceStart } from '../../../contract/record.ts';
import type { Built } from '../../shared/entry.ts';
import { asFault } from '../../shared/fault.ts';
import { buildCookie } from '../../shared/fetch.ts';
import { completeFetch, stopFetch } from '../../shared/fetched.ts';
import { clearLeftSecrets } from '../../shared/left-secrets.ts';
import { builderObjects } from '../../shared/objects.ts';
import { preparePackageManager, toolsTarget } from '../../shared/package-manager.ts';
import { programPath, SYSTEM_PATH } from '../../shared/programs.ts';
import { repoFolder } from '../../shared/repo-files.ts';
import type { Sandbox } from '../../shared/sandbox.ts';
import {
  buildStepVariables,
  installSecrets,
  installVariables,
  preparationVariables,
} from '../../shared/step-variables.ts';
import { runUserCommand } from '../../shared/user-command.ts';
import { userEnv } from '../../shared/user-env.ts';
import { claimPublication } from '../../shared/verdict.ts';
import { readPackageJson } from './package-json.ts';
import { Phases } from './phases.ts';
import type { ImageBuildInput } from './place.ts';
import { resolveStart } from './start.ts';

const NO_ENGINE = 'none was found';
/** Where the archive has the package manager that starts the service. */
const TOOLS = '.veren-tools';
/** Of an archive: one put of S3 takes 5 GB, and a laptop's disk has other things to hold. */
const MAX_BYTES = 2 * 1_024 ** 3;

/**
 * Builds a Node backend where no container engine is: its commands run as a site's do, and what it runs from is stored as
 * an archive. Whoever runs it needs the same machine. Throws as `buildImage` does.
 */
export async function buildFolder(input: ImageBuildInput): Promise<Built> {
  const { env, raw, fetching, mask, reporter, deadline, now } = input;
  const { signal } = deadline;
  const phases = new Phases(reporter, deadline);
  try {
    checkPossible(input);
  } catch (error) {
    await stopFetch(fetching);
    throw error;
  }
  await completeFetch({ fetching, commit: env.GIT_COMMIT, raw, mask, reporter, signal, now, beside: async () => {} });
  try {
    const { root, start } = await runSteps(input, phases);
    phases.enter('publish');
    const archive = await packService(input, root);
    const objects = builderObjects(env, raw.AWS_ENDPOINT_URL_S3);
    const { PROJECT_ID: projectId, DEPLOYMENTID: deploymentId } = env;
    const key = s3Keys.serviceFolder(projectId, deploymentId);
    await claimPublication(objects, { projectId, deploymentId, target: 'backend' }, now);
    const { digest, bytes } = archive;
    await objects.put(key, { file: archive.file, size: bytes }, { contentType: 'application/x-tar', sha256: digest });
    reporter.say(`Stored ${bytes} bytes. The service is to run as a process: no container engine is used.`);
    phases.end(true);
    const artifact: Artifact = { kind: 'folder', bucket: env.BUCKET, key, digest, bytes, start };
    return { artifact, stored: env.HOLD === '1' };
  } catch (error) {
    phases.end(false);
    const code = deadline.phase === 'publish' ? 'PUBLISH_FAILED' : 'IMAGE_BUILD_FAILED';
    throw asFault(error, (reason) => new VerenError(code, { reason: mask(reason) }));
  }
}

/** Throws NO_CONTAINER_BUILDER, START_COMMAND_MISSING. */
function checkPossible({ env }: ImageBuildInput): void {
  if (env.RUNTIME !== 'node' || env.DOCKERFILE !== undefined)
    throw new VerenError('NO_CONTAINER_BUILDER', { found: NO_ENGINE });
  if (env.STARTCOMMAND.trim() === '')
    throw new VerenError('START_COMMAND_MISSING', {
      reason: 'package.json has no "start" script, and no server file or Procfile was found.',
    });
}

/** Installation and build. When it resolves nothing of them is alive. */
async function runSteps(
  { env, image, raw, fetching, mask, reporter, deadline: { signal } }: ImageBuildInput,
  phases: Phases,
): Promise<{ readonly root: string; readonly start: ServiceStart }> {
  const work = image.VEREN_WORK;
  const source = join(work, 'source');
  const { sandbox } = fetching;
  const say = (text: string) => reporter.say(text);
  const environment = (buildEnv: Readonly<Record<string, string>>, path: readonly string[]) =>
    userEnv({ raw, work, path, buildEnv, cookie: buildCookie(raw, work), job: env });
  const step = { sandbox, reporter, mask, signal };
  phases.enter('install');
  const root = await repoFolder(source, env.INSTALLPATH);
  const tools = await preparePackageManager({
    spec: env.PACKAGE_MANAGER,
    imagePath: image.PATH,
    tools: [image.VEREN_TOOLS],
    target: toolsTarget(sandbox, image.VEREN_TOOLS, work),
    env: environment(preparationVariables(env), []),
    ...{ sandbox, signal, say },
  });
  const path = tools === null ? [] : [tools];
  if (env.INSTALLCOMMAND !== '')
    await runUserCommand({
      ...{ ...step, command: env.INSTALLCOMMAND, cwd: root, failure: 'INSTALL_FAILED' },
      env: environment(installVariables(env), path),
    });
  await clearLeftSecrets({ values: installSecrets(env), work, sandbox, signal, say });
  phases.enter('build');
  const service = await repoFolder(source, env.BACKEND_PATH);
  if (env.BUILDCOMMAND !== '')
    await runUserCommand({
      ...{ ...step, command: env.BUILDCOMMAND, cwd: service, failure: 'BUILD_FAILED' },
      env: environment(buildStepVariables(env), path),
    });
  await sandbox.killAll();
  return { root, start: await startOf(await repoFolder(source, env.BACKEND_PATH), root, env, tools, sandbox) };
}

async function startOf(
  service: string,
  root: string,
  env: ImageBuildInput['env'],
  tools: string | null,
  sandbox: Sandbox,
): Promise<ServiceStart> {
  const pkg = await readPackageJson(service);
  const scripts = {
    scripts: pkg?.scripts ?? {},
    dependencies: Object.keys(pkg?.dependencies ?? {}),
    devDependencies: Object.keys(pkg?.devDependencies ?? {}),
  };
  const { argv, needsPackageManager, lifecycle } = resolveStart(env.STARTCOMMAND, scripts, env.PACKAGE_MANAGER);
  if (needsPackageManager && tools !== null)
    await runTool(sandbox, ['/bin/cp', '-R', join(tools, '..', '..'), join(root, TOOLS)]);
  const cwd = relative(root, service) || '.';
  if (cwd.startsWith('..'))
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: 'BACKEND_PATH lies outside of INSTALLPATH' });
  return {
    argv: [...argv],
    cwd,
    nodeMajor: env.NODE_VERSION,
    variables: lifecycle
      ? { npm_lifecycle_event: lifecycle.event, npm_lifecycle_script: lifecycle.script.slice(0, 32_768) }
      : {},
  };
}

async function runTool(sandbox: Sandbox, argv: readonly [string, ...string[]]): Promise<void> {
  const { stdout, stderr, ended } = sandbox.start({ argv, cwd: '/', env: { PATH: SYSTEM_PATH, LC_ALL: 'C' } });
  stdout.resume();
  stderr.resume();
  const { exitCode } = await ended;
  if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
}

interface ServiceArchive {
  readonly file: string;
  readonly digest: string;
  readonly bytes: number;
}

/** The history stays behind: a service has no use for it. tar reads as the build user, so it finds nothing but its own. */
async function packService(
  { image, fetching: { sandbox }, deadline: { signal } }: ImageBuildInput,
  root: string,
): Promise<ServiceArchive> {
  const file = join(image.VEREN_WORK, 'control/service.tar');
  const { stdout, stderr, ended } = sandbox.start({
    argv: [programPath('tar'), '--create', '--file=-', '--exclude=./.git', '-C', root, '.'],
    ...{ cwd: '/', env: { PATH: SYSTEM_PATH, LC_ALL: 'C' }, signal },
  });
  stderr.resume();
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES)
        return done(new VerenError('SERVICE_TOO_LARGE', { reason: `its folder has more than ${MAX_BYTES} bytes.` }));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const [, { exitCode }] = await Promise.all([
    pipeline(stdout, meter, createWriteStream(file, { flags: 'wx', mode: 0o600 })),
    ended,
  ]);
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`tar ended with ${exitCode}`);
  return { file, digest: hash.digest('hex'), bytes };
}
