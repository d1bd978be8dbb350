import { join } from 'node:path';
import type { BackendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import { imageTag } from '../../../contract/names.ts';
import { wantsCache } from '../../shared/cache/store.ts';
import type { Built } from '../../shared/entry.ts';
import { asFault } from '../../shared/fault.ts';
import { completeFetch, stopFetch } from '../../shared/fetched.ts';
import type { Objects } from '../../shared/object-calls.ts';
import { builderObjects } from '../../shared/objects.ts';
import { parsePackageManager } from '../../shared/package-manager.ts';
import { createSandbox } from '../../shared/sandbox.ts';
import { allVariables } from '../../shared/step-variables.ts';
import { claimPublication } from '../../shared/verdict.ts';
import { type ImageBuildContext, KANIKO_SECRETS, NODE_UID, prepareContext } from './context.ts';
import { findEngine } from './engine.ts';
import { buildFolder } from './folder.ts';
import type { FoundImage } from './images.ts';
import { hardenCommand, kanikoBuild, kanikoEnv } from './kaniko.ts';
import { imageLabels, isSameDeployment } from './labels.ts';
import { LayerCache, type OpenCache } from './layer-cache.ts';
import { localBuild, localImages, localNames } from './local.ts';
import { type BuildStep, parserOf } from './output.ts';
import { buildOwnDockerfile } from './own/build.ts';
import { Phases } from './phases.ts';
import {
  cranePath,
  type ImageBuildInput,
  type Made,
  type Place,
  publishLocally,
  pushLayout,
  type WantedImage,
} from './place.ts';
import { Programs } from './programs.ts';
import { openRegistry } from './registry.ts';
import { type EngineRun, runEngine } from './run-engine.ts';

/** All four phases. Throws `PhaseFault` or `VerenError`; `deadline.phase` tells in which. */
export async function buildImage(input: ImageBuildInput): Promise<Built> {
  const { env, raw, reporter, deadline, mask } = input;
  if (input.image.VEREN_SERVICE_FOLDERS === '1') return buildFolder(input);
  const { signal } = deadline;
  const tag = imageTag(env.PROJECT_ID, env.DEPLOYMENTID);
  const own = imageLabels(env);
  const { place, earlier } = await checkPreconditions(input, tag, own).catch(async (error: unknown) => {
    await stopFetch(input.fetching);
    throw error;
  });
  const objects = builderObjects(env, raw.AWS_ENDPOINT_URL_S3);
  const layers = layerCache(input, place, objects, earlier);
  const waitForLayers = async () => layers?.settled();
  const { fetching, now } = input;
  await completeFetch({ fetching, commit: env.GIT_COMMIT, raw, mask, reporter, signal, now, beside: waitForLayers });
  const phases = new Phases(reporter, deadline);
  try {
    const publication = { projectId: env.PROJECT_ID, deploymentId: env.DEPLOYMENTID, target: 'backend' } as const;
    const claimTag = () => claimPublication(objects, publication, input.now);
    const { made, saveCaches, warnings }: Made = earlier
      ? { made: earlier }
      : env.DOCKERFILE === undefined
        ? await makeImage(input, place, phases, { tag, own, claim: claimTag, layers })
        : await buildOwnDockerfile(input, env.DOCKERFILE, place, phases, { tag, own, claim: claimTag });
    phases.enter('publish');
    reporter.say(`${env.ECR_URI}:${tag} ${made.digest}, ${made.bytes} bytes`);
    phases.end(true);
    const { digest, bytes } = made;
    return {
      artifact: {
        kind: 'image',
        uri: `${env.ECR_URI}:${tag}`,
        digest,
        bytes,
        ...(warnings?.length && { warnings: [...warnings] }),
      },
      stored: env.HOLD === '1',
      ...(saveCaches && { saveCaches }),
    };
  } catch (error) {
    phases.end(false);
    const code = deadline.phase === 'publish' ? 'PUBLISH_FAILED' : 'IMAGE_BUILD_FAILED';
    throw asFault(error, (reason) => new VerenError(code, { reason: mask(reason) }));
  }
}

/**
 * Everything that can make a build pointless, before it costs time: no start command, no container builder, no repository,
 * a tag that is taken. An image of the same deployment under the tag is an earlier attempt's: it is the result.
 */
async function checkPreconditions(
  { env, image, raw, reporter, deadline }: ImageBuildInput,
  tag: string,
  own: Readonly<Record<string, string>>,
): Promise<{ place: Place; earlier: FoundImage | null }> {
  const engine = await findEngine(image, raw);
  // Where the repository has its own Dockerfile, that says what is started.
  if (env.DOCKERFILE === undefined && env.STARTCOMMAND.trim() === '')
    throw new VerenError('START_COMMAND_MISSING', {
      reason:
        env.RUNTIME === 'node'
          ? 'package.json has no "start" script, and no server file or Procfile was found.'
          : 'no application and no Procfile was found.',
    });
  const place: Place =
    engine.kind === 'kaniko'
      ? {
          kind: 'kaniko',
          engine,
          store: await openRegistry(env, {
            endpoint: raw.AWS_ENDPOINT_URL_ECR,
            insecure: image.VEREN_INSECURE_REGISTRIES,
          }),
        }
      : { kind: 'local', engine, store: localImages(engine, env.ECR_URI, deadline.signal) };
  const earlier = await place.store.find(tag);
  if (earlier === null) return { place, earlier };
  if (!isSameDeployment(earlier.labels, own)) throw new VerenError('IMAGE_TAG_EXISTS', { tag });
  reporter.say('An earlier attempt of this deployment has made the image already.');
  return { place, earlier };
}

/**
 * Container builders of a laptop have caches of their own. A repository's own Dockerfile has none on AWS: whatever builds it may
 * write there what it likes.
 */
function layerCache(
  { env, image, reporter, deadline }: ImageBuildInput,
  place: Place,
  objects: Objects,
  earlier: FoundImage | null,
): LayerCache | null {
  if (
    place.kind !== 'kaniko' ||
    earlier ||
    env.DOCKERFILE !== undefined ||
    env.INSTALLCOMMAND === '' ||
    !wantsCache(allVariables(env))
  )
    return null;
  const sandbox = createSandbox({
    uid: image.VEREN_BUILD_UID,
    gid: image.VEREN_BUILD_GID,
    maxProcesses: image.VEREN_BUILD_PROCESSES,
    cookie: '',
  });
  const say = (text: string) => reporter.say(text);
  return new LayerCache({
    objects,
    projectId: env.PROJECT_ID,
    lane: env.LANE,
    use: env.BUILD_CACHE,
    deploymentId: env.DEPLOYMENTID,
    work: image.VEREN_WORK,
    sandbox,
    say,
    signal: deadline.signal,
  });
}

interface Result extends WantedImage {
  readonly layers: LayerCache | null;
}

async function makeImage(input: ImageBuildInput, place: Place, phases: Phases, result: Result): Promise<Made> {
  const { env, image, raw, reporter, mask, deadline } = input;
  const { tag, own, claim, layers } = result;
  phases.enter('install');
  const context = await prepareContext({
    env,
    raw,
    work: image.VEREN_WORK,
    templates: image.VEREN_TEMPLATES,
    secrets:
      place.kind === 'kaniko'
        ? { folder: KANIKO_SECRETS, owner: NODE_UID }
        : { folder: join(image.VEREN_WORK, 'control/secrets'), owner: null },
    say: (text) => reporter.say(text),
  });
  const run = {
    parse: parserOf[place.engine.kind],
    commands: stepCommands(env, context),
    reporter,
    phases,
    mask,
    signal: deadline.signal,
  };
  if (place.kind === 'kaniko') {
    const key = layers && context.layersKey;
    const cache = key ? await layers.open(key) : null;
    const crane = cranePath(image, place.engine.file);
    const programs = await Programs.remember(
      [crane, place.engine.file, process.execPath, ...process.argv.slice(1, 2)],
      raw.PATH ?? '',
    );
    const { layout, reused } = await makeLayout(
      input,
      { executor: place.engine.file, context, own, cache, programs },
      run,
    );
    phases.enter('publish');
    await programs.check();
    await claim();
    return {
      made: await pushLayout(input, crane, place.store, layout, result),
      saveCaches: key ? (until) => layers.save(key, !reused.has('install'), until) : undefined,
    };
  }
  const { engine } = place;
  const names = localNames(env.ECR_URI, tag);
  await runEngine({ ...run, argv: localBuild(engine, context, names.unpublished, own), env: engine.env });
  phases.enter('publish');
  return { made: await publishLocally(place, names, result, deadline.signal) };
}

interface LayoutInput {
  readonly executor: string;
  readonly context: ImageBuildContext;
  readonly own: Readonly<Record<string, string>>;
  readonly cache: OpenCache | null;
  readonly programs: Programs;
}

/**
 * Builds without any credential; when this resolves nothing of the user's is alive. Gives the folder of the image, and the
 * steps whose layers were there already.
 */
async function makeLayout(
  { image, raw }: ImageBuildInput,
  { executor, context, own, cache, programs }: LayoutInput,
  run: Omit<EngineRun, 'argv' | 'env'>,
): Promise<{ layout: string; reused: ReadonlySet<BuildStep> }> {
  const control = join(image.VEREN_WORK, 'control');
  const output = join(control, 'image');
  const maxProcesses = image.VEREN_BUILD_PROCESSES;
  const sandbox = createSandbox({ uid: NODE_UID, gid: NODE_UID, maxProcesses, cookie: '' });
  const argv = kanikoBuild({
    executor,
    flags: image.VEREN_KANIKO_FLAGS,
    context,
    labels: own,
    output,
    mirrors: image.VEREN_REGISTRY_MIRRORS,
    insecure: image.VEREN_INSECURE_REGISTRIES,
    cache,
  });
  const reused = await runEngine({
    ...run,
    argv: hardenCommand(argv, maxProcesses),
    env: await kanikoEnv(raw, join(control, 'empty')),
    sweep: async () => {
      await programs.checkPlaces();
      await sandbox.killAll();
    },
  });
  return { layout: output, reused };
}

const stepCommands = (env: BackendEnv, context: ImageBuildContext) => ({
  ...(parsePackageManager(env.PACKAGE_MANAGER) !== null && { tools: `prepare ${env.PACKAGE_MANAGER}` }),
  ...(env.INSTALLCOMMAND !== '' && { install: env.INSTALLCOMMAND }),
  ...(env.BUILDCOMMAND !== '' && { build: env.BUILDCOMMAND }),
  image: `start: ${context.start.argv.join(' ')}`,
});
