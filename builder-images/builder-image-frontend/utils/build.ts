import { join } from 'node:path';
import type { FrontendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { Phase } from '../../../contract/record.ts';
import { wantsCache } from '../../shared/cache/store.ts';
import type { BuilderRunInput as BuilderInput, Built } from '../../shared/entry.ts';
import type { ImageEnv } from '../../shared/env.ts';
import { asFault } from '../../shared/fault.ts';
import { buildCookie } from '../../shared/fetch.ts';
import { completeFetch } from '../../shared/fetched.ts';
import { changedAtInstall } from '../../shared/install-env.ts';
import { clearLeftSecrets } from '../../shared/left-secrets.ts';
import { repoFolder } from '../../shared/repo-files.ts';
import {
  allVariables,
  buildStepVariables,
  installSecrets,
  installVariables,
  preparationVariables,
} from '../../shared/step-variables.ts';
import { runUserCommand } from '../../shared/user-command.ts';
import { userEnv } from '../../shared/user-env.ts';
import type { PreparedGenerator } from './generator.ts';
import { installPackages } from './install.ts';

type BuildInput = BuilderInput<FrontendEnv> & { readonly image: ImageEnv };

/** All four phases. Throws `PhaseFault`; `deadline.phase` tells in which. */
export async function buildSite(input: BuildInput): Promise<Built> {
  const { env, image, raw, mask, reporter, deadline, now } = input;
  const { signal } = deadline;
  const work = image.VEREN_WORK;
  const source = join(work, 'source');
  const cookie = buildCookie(raw, work);
  const { sandbox } = input.fetching;
  const say = (text: string) => reporter.say(text);
  const cached = env.INSTALLCOMMAND + env.BUILDCOMMAND !== '' && wantsCache(allVariables(env));
  const opening = import('./storage.ts').then(({ openStorage }) =>
    openStorage({ env, endpoint: raw.AWS_ENDPOINT_URL_S3, work, sandbox, say, signal, cached }),
  );
  opening.catch(() => undefined); // whoever awaits it hears of it
  const phase = createPhases(input);
  const environmentOf = (buildEnv: Readonly<Record<string, string>>) => (path: readonly string[]) =>
    userEnv({ raw, work, path, buildEnv, cookie, job: env });
  let generator: PreparedGenerator = { path: [], variables: {}, warnings: [] };
  const atInstall = (path: readonly string[]) =>
    environmentOf({ ...generator.variables, ...installVariables(env) })(path);
  const atBuild = (path: readonly string[]) =>
    environmentOf({ ...generator.variables, ...buildStepVariables(env) })(path);
  const runStep =
    (failure: 'INSTALL_FAILED' | 'BUILD_FAILED', variables: typeof atBuild) =>
    (command: string, cwd: string, path: readonly string[]) =>
      runUserCommand({ command, cwd, env: variables(path), failure, sandbox, reporter, mask, signal });

  deadline.phase = 'fetch';
  const waitForCache = async () => (await opening).cache?.settled();
  await completeFetch({
    fetching: input.fetching,
    commit: env.GIT_COMMIT,
    raw,
    mask,
    reporter,
    signal,
    now,
    beside: waitForCache,
  });

  const { path, installation } = await phase('install', async () => {
    const tools = image.VEREN_TOOLS;
    const storage = await opening;
    const changed = changedAtInstall(env.BUILD_ENV);
    if (changed.length > 0 && env.INSTALLCOMMAND !== '')
      say(`Installed with dev dependencies: ${changed.join(', ')} is given to the build command only.`);
    const preparation = environmentOf(preparationVariables(env))([]);
    if (env.RUNTIME !== 'node') {
      const { prepareGenerator } = await import('./generator.ts');
      const { PATH: imagePath, VEREN_TOOL_PATH: toolPath } = image;
      generator = await prepareGenerator({ env, work, tools, imagePath, toolPath, preparation, sandbox, say, signal });
      for (const warning of generator.warnings) say(`Warning: ${warning}`);
    }
    return installPackages({
      env,
      work,
      tools,
      sandbox,
      storage,
      imagePath: image.PATH,
      preparation,
      generatorPath: generator.path,
      environment: atInstall,
      run: runStep('INSTALL_FAILED', atInstall),
      clearSecrets: () => clearLeftSecrets({ values: installSecrets(env), work, sandbox, signal, say }),
      say,
      signal,
    });
  });

  const storage = await opening;
  const { base, folder, since } = await phase('build', async () => {
    const cwd = await repoFolder(source, env.FRONTENDPATH);
    const started = env.BUILDCOMMAND === '' ? undefined : storage.markTime(work);
    const live = storage.liveManifest(); // meanwhile: a hint of what need not be sent again
    if (env.BUILDCOMMAND !== '') await runStep('BUILD_FAILED', atBuild)(env.BUILDCOMMAND, cwd, path);
    return { base: await live, folder: cwd, since: started };
  });

  const artifact = await phase('publish', async () => {
    await sandbox.killAll();
    const output = await storage.chooseOutput({
      planned: env.OUTPUT_DIR,
      isNamed: env.OUTPUT_NAMED === '1',
      source,
      folder,
      since,
      ownerUid: sandbox.uid,
      signal,
    });
    const root = join(source, env.FRONTENDPATH, output.path);
    const packages = [env.FRONTENDPATH, env.INSTALLPATH];
    const built = env.BUILDCOMMAND !== '';
    const isSource = await storage.isSourceFolder(root, { source, packages });
    return storage.publish({
      objects: storage.objects,
      base,
      bucket: env.BUCKET,
      projectId: env.PROJECT_ID,
      deploymentId: env.DEPLOYMENTID,
      attempt: env.ATTEMPT,
      commit: env.GIT_COMMIT,
      built,
      warnings: [...generator.warnings, ...output.warnings],
      inspect: (files) => storage.inspectOutput({ files, allowed: env.ALLOW_SECRETS, say, signal }),
      precompress: env.PRECOMPRESS === '1',
      hold: env.HOLD === '1',
      output: {
        root,
        name: join(env.FRONTENDPATH, output.path),
        inside: source,
        holds: isSource ? 'package' : built ? 'output' : 'folder',
        maxFiles: env.MAX_OUTPUT_FILES,
        maxBytes: env.MAX_OUTPUT_BYTES,
        ownerUid: sandbox.uid,
      },
      signal,
      now,
      say,
    });
  });
  const saveCaches = async (until: AbortSignal) => {
    if (installation) await storage.cache?.save(installation, until);
  };
  return { artifact, stored: env.HOLD === '1', saveCaches };
}

/** Runs a phase between its two events and turns whatever goes wrong into a `PhaseFault`. */
function createPhases({ reporter, deadline, mask }: BuildInput) {
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
