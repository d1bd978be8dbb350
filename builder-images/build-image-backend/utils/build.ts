import { dirname, join } from 'node:path';
import type { BackendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import { imageTag } from '../../../contract/names.ts';
import type { Artifact } from '../../../contract/record.ts';
import { signalGroup } from '../../shared/command.ts';
import type { BuildInput as Input } from '../../shared/entry.ts';
import { asFault } from '../../shared/fault.ts';
import { fetched } from '../../shared/fetched.ts';
import { wanted } from '../../shared/package-manager.ts';
import { createSandbox } from '../../shared/sandbox.ts';
import { type BuildContext, KANIKO_SECRETS, NODE_UID, prepareContext } from './context.ts';
import { type Engine, findEngine } from './engine.ts';
import type { BackendImageEnv } from './env.ts';
import type { FoundImage, ImageStore } from './images.ts';
import { hardened, kanikoBuild, kanikoEnv } from './kaniko.ts';
import { isSameDeployment, labels } from './labels.ts';
import { type LocalEngine, localBuild, localImages } from './local.ts';
import { parserOf } from './output.ts';
import { Phases } from './phases.ts';
import { push } from './push.ts';
import { openRegistry, type Registry } from './registry.ts';
import { type EngineRun, runEngine } from './run-engine.ts';

export type BuildInput = Input<BackendEnv> & { readonly image: BackendImageEnv };

/** What builds the image, and where it goes. */
type Place =
  | { readonly kind: 'kaniko'; readonly engine: Extract<Engine, { kind: 'kaniko' }>; readonly store: Registry }
  | { readonly kind: 'local'; readonly engine: LocalEngine; readonly store: ImageStore };

/** All four phases. Throws `PhaseFault` or `VerenError`; `deadline.phase` tells in which. */
export async function build(input: BuildInput): Promise<Artifact> {
  const { env, image, reporter, deadline, mask } = input;
  const { signal } = deadline;
  const tag = imageTag(env.PROJECT_ID, env.DEPLOYMENTID);
  const own = labels(env);
  const { place, earlier } = await worthwhile(input, tag, own).catch((error: unknown) => {
    signalGroup(image.VEREN_FETCH_PID, 'SIGKILL');
    throw error;
  });
  await fetched({
    work: image.VEREN_WORK,
    fetchPid: image.VEREN_FETCH_PID,
    startedAt: image.VEREN_STARTED,
    commit: env.GIT_COMMIT,
    mask,
    reporter,
    signal,
    now: input.now,
  });
  const phases = new Phases(reporter, deadline);
  try {
    const made = earlier ?? (await make(input, place, phases, tag, own));
    phases.enter('publish');
    reporter.say(`${env.ECR_URI}:${tag} ${made.digest}, ${made.bytes} bytes`);
    phases.end(true);
    return { kind: 'image', uri: `${env.ECR_URI}:${tag}`, digest: made.digest, bytes: made.bytes };
  } catch (error) {
    phases.end(false);
    throw asFault(error, (reason) => new VerenError('IMAGE_BUILD_FAILED', { reason: mask(reason) }));
  }
}

/**
 * Everything that can make a build pointless, before it costs time: no start command, no container builder, no repository,
 * a tag that is taken. An image of the same deployment under the tag is an earlier attempt's: it is the result.
 */
async function worthwhile(
  { env, image, raw, reporter, deadline }: BuildInput,
  tag: string,
  own: Readonly<Record<string, string>>,
): Promise<{ place: Place; earlier: FoundImage | null }> {
  const engine = await findEngine(image, raw);
  if (env.STARTCOMMAND.trim() === '')
    throw new VerenError('START_COMMAND_MISSING', {
      reason: 'package.json has no "start" script, and no server file or Procfile was found.',
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

async function make(
  input: BuildInput,
  place: Place,
  phases: Phases,
  tag: string,
  own: Readonly<Record<string, string>>,
): Promise<FoundImage> {
  const { env, image, raw, reporter, mask, deadline } = input;
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
    const layout = await makeLayout(input, place.engine.file, context, own, run);
    phases.enter('publish');
    return pushLayout(input, place.engine.file, place.store, layout, tag, own);
  }
  const { engine, store } = place;
  await runEngine({ ...run, argv: localBuild(engine, context, `${env.ECR_URI}:${tag}`, own), env: engine.env });
  phases.enter('publish');
  const made = await store.find(tag);
  if (made === null)
    throw new VerenError('IMAGE_BUILD_FAILED', { reason: `${engine.kind} has no image after the build` });
  return made;
}

/** Builds without any credential; when this resolves nothing of the user's is alive. Gives the folder of the image. */
async function makeLayout(
  { env, image, raw }: BuildInput,
  executor: string,
  context: BuildContext,
  own: Readonly<Record<string, string>>,
  run: Omit<EngineRun, 'argv' | 'env'>,
): Promise<string> {
  const control = join(image.VEREN_WORK, 'control');
  const output = join(control, 'image');
  const maxProcesses = image.VEREN_BUILD_PROCESSES;
  const sandbox = createSandbox({ uid: NODE_UID, gid: NODE_UID, maxProcesses, cookie: '' });
  const argv = kanikoBuild({
    executor,
    context,
    labels: own,
    output,
    mirrors: image.VEREN_REGISTRY_MIRRORS,
    insecure: image.VEREN_INSECURE_REGISTRIES,
    cache: image.VEREN_LAYER_CACHE === undefined ? null : join(image.VEREN_LAYER_CACHE, env.PROJECT_ID),
  });
  await runEngine({
    ...run,
    argv: hardened(argv, maxProcesses),
    env: await kanikoEnv(raw, join(control, 'empty')),
    sweep: () => sandbox.killAll(),
  });
  return output;
}

const pushLayout = (
  { env, image, raw, reporter, deadline }: BuildInput,
  executor: string,
  registry: Registry,
  layout: string,
  tag: string,
  own: Readonly<Record<string, string>>,
) =>
  push({
    crane: image.VEREN_CRANE ?? join(dirname(executor), 'crane'),
    registry,
    layout,
    uri: env.ECR_URI,
    tag,
    labels: own,
    raw,
    control: join(image.VEREN_WORK, 'control'),
    signal: deadline.signal,
    say: (text) => reporter.say(text),
  });

const stepCommands = (env: BackendEnv, context: BuildContext) => ({
  ...(wanted(env.PACKAGE_MANAGER) !== null && { tools: `prepare ${env.PACKAGE_MANAGER}` }),
  ...(env.INSTALLCOMMAND !== '' && { install: env.INSTALLCOMMAND }),
  ...(env.BUILDCOMMAND !== '' && { build: env.BUILDCOMMAND }),
  image: `start: ${context.start.argv.join(' ')}`,
});
