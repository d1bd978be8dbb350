import { join } from 'node:path';
import type { FrontendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { Artifact, Phase } from '../../../contract/record.ts';
import type { Deadline } from '../../shared/deadline.ts';
import type { ImageEnv } from '../../shared/env.ts';
import { asFault } from '../../shared/fault.ts';
import { fetched } from '../../shared/fetched.ts';
import type { Masker } from '../../shared/masker.ts';
import { preparePackageManager } from '../../shared/package-manager.ts';
import type { Reporter } from '../../shared/reporter.ts';
import { createSandbox } from '../../shared/sandbox.ts';
import { runUserCommand } from '../../shared/user-command.ts';
import { userEnv } from '../../shared/user-env.ts';
import { repoFolder } from './folders.ts';

export interface BuildInput {
  readonly env: FrontendEnv;
  readonly image: ImageEnv;
  /** The environment as it was handed over. */
  readonly raw: Readonly<Record<string, string>>;
  readonly mask: Masker;
  readonly reporter: Reporter;
  readonly deadline: Deadline;
  readonly now: () => number;
}

/** What publishing needs is loaded while the install command runs, once that has got going. */
const PREPARE_AFTER_MS = 400;

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    made.catch(() => undefined); // whoever awaits it hears of it
    return made;
  };
}

async function preparePublishing({ env, raw }: BuildInput) {
  const [{ s3Objects }, { publish, liveManifest }] = await Promise.all([
    import('./objects.ts'),
    import('./publish.ts'),
  ]);
  const objects = s3Objects({
    bucket: env.BUCKET,
    region: env.AWS_REGION,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    endpoint: raw.AWS_ENDPOINT_URL_S3,
  });
  return { publish, objects, base: liveManifest(objects, env.PROJECT_ID).catch(() => null) };
}

/** All four phases. Throws `PhaseFault`; `deadline.phase` tells in which. */
export async function build(input: BuildInput): Promise<Artifact> {
  const { env, image, raw, mask, reporter, deadline } = input;
  const { signal } = deadline;
  const work = image.VEREN_WORK;
  const source = join(work, 'source');
  const cookie = `VEREN_BUILD=${env.DEPLOYMENTID}-${env.ATTEMPT}-${work.slice(work.lastIndexOf('.') + 1)}`;
  const sandbox = createSandbox({
    uid: image.VEREN_BUILD_UID,
    gid: image.VEREN_BUILD_GID,
    maxProcesses: image.VEREN_BUILD_PROCESSES,
    cookie,
  });
  const phase = phases(input);
  const publishing = lazily(() => preparePublishing(input));
  const environment = (path: readonly string[]) =>
    userEnv({ raw, work, path, buildEnv: env.BUILD_ENV, cookie, job: env });
  const run = (command: string, cwd: string, path: readonly string[], failure: 'INSTALL_FAILED' | 'BUILD_FAILED') =>
    runUserCommand({ command, cwd, env: environment(path), failure, sandbox, reporter, mask, signal });

  deadline.phase = 'fetch';
  await fetched({
    work,
    fetchPid: image.VEREN_FETCH_PID,
    startedAt: image.VEREN_STARTED,
    commit: env.GIT_COMMIT,
    mask,
    reporter,
    signal,
    now: input.now,
  });

  const path = await phase('install', async () => {
    const cwd = await repoFolder(source, env.INSTALLPATH);
    const commands = await preparePackageManager({
      spec: env.PACKAGE_MANAGER,
      tools: sandbox.uid === undefined ? [image.VEREN_TOOLS] : [image.VEREN_TOOLS, join(work, 'tools')],
      env: environment([]),
      sandbox,
      signal,
      say: (text) => reporter.say(text),
    });
    const path = commands === null ? [] : [commands];
    setTimeout(publishing, PREPARE_AFTER_MS).unref();
    if (env.INSTALLCOMMAND !== '') await run(env.INSTALLCOMMAND, cwd, path, 'INSTALL_FAILED');
    return path;
  });

  await phase('build', async () => {
    const cwd = await repoFolder(source, env.FRONTENDPATH);
    if (env.BUILDCOMMAND !== '') await run(env.BUILDCOMMAND, cwd, path, 'BUILD_FAILED');
  });

  return phase('publish', async () => {
    await sandbox.killAll();
    const { publish, ...prepared } = await publishing();
    const root = join(source, env.FRONTENDPATH, env.OUTPUT_DIR);
    return publish({
      ...prepared,
      bucket: env.BUCKET,
      projectId: env.PROJECT_ID,
      deploymentId: env.DEPLOYMENTID,
      attempt: env.ATTEMPT,
      commit: env.GIT_COMMIT,
      built: env.BUILDCOMMAND !== '',
      output: {
        root,
        name: join(env.FRONTENDPATH, env.OUTPUT_DIR),
        inside: source,
        asIs: env.BUILDCOMMAND === '',
        maxFiles: env.MAX_OUTPUT_FILES,
        maxBytes: env.MAX_OUTPUT_BYTES,
        ownerUid: sandbox.uid,
      },
      signal,
      now: input.now,
      say: (text) => reporter.say(text),
    });
  });
}

/** Runs a phase between its two events and turns whatever goes wrong into a `PhaseFault`. */
function phases({ reporter, deadline, mask }: BuildInput) {
  return async <T>(name: Exclude<Phase, 'fetch'>, work: () => Promise<T>): Promise<T> => {
    deadline.phase = name;
    reporter.phaseStarted(name);
    try {
      const result = await work();
      reporter.phaseFinished(name, true);
      return result;
    } catch (error) {
      reporter.phaseFinished(name, false);
      throw asFault(error, (reason) => new VerenError('PUBLISH_FAILED', { reason: mask(reason) }));
    }
  };
}
