import { join } from 'node:path';
import { VerenError } from '../../../../contract/errors.ts';
import { runCommand } from '../../../shared/command.ts';
import { localNames } from '../local.ts';
import type { Phases } from '../phases.ts';
import {
  cranePath,
  type ImageBuildInput,
  type Made,
  type Place,
  publishLocally,
  pushLayout,
  type WantedImage,
} from '../place.ts';
import { diagnoseOwnEnding } from './diagnose.ts';
import { OutputFollower } from './follow.ts';
import { runIsolatedBuild } from './isolated-build.ts';
import { localOwnBuild } from './local.ts';
import { type OwnContext, prepareOwnContext } from './prepare.ts';

/**
 * An image from the repository's own Dockerfile. On AWS another container builds it, which is given no secret: this one, which
 * has them, starts nothing of the repository's. On a laptop the container engine does.
 */
export async function buildOwnDockerfile(
  input: ImageBuildInput,
  dockerfile: string,
  place: Place,
  phases: Phases,
  wanted: WantedImage,
): Promise<Made> {
  const { env, image, reporter, deadline } = input;
  phases.enter('build');
  const context = await prepareOwnContext(env, dockerfile, image.VEREN_WORK);
  reporter.say(describeArguments(context));
  const warnings = warningsOf(context);
  for (const warning of warnings) reporter.say(warning);
  if (place.kind === 'local') {
    const names = localNames(env.ECR_URI, wanted.tag);
    await buildLocally(input, place, context, names.unpublished, wanted);
    phases.enter('publish');
    return { made: await publishLocally(place, names, wanted, deadline.signal), warnings };
  }
  const layout = join(image.VEREN_WORK, 'control/image');
  await buildIsolated(input, context, layout, wanted);
  phases.enter('publish');
  await wanted.claim();
  const crane = cranePath(image, place.engine.file);
  return { made: await pushLayout(input, crane, place.store, layout, wanted), warnings };
}

async function buildIsolated(
  { image, reporter, mask, deadline, fetching }: ImageBuildInput,
  { folder, dockerfile, buildArgs }: OwnContext,
  output: string,
  wanted: WantedImage,
): Promise<void> {
  if (image.VEREN_CHANNEL === undefined)
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: 'VEREN_CHANNEL is missing, where the other container is' });
  const follower = new OutputFollower('kaniko', reporter, mask);
  const exitCode = await runIsolatedBuild({
    channel: image.VEREN_CHANNEL,
    context: folder,
    sandbox: fetching.sandbox,
    job: { dockerfile, buildArgs: { ...buildArgs }, labels: { ...wanted.own } },
    output,
    onOutput: (stream, chunk) => follower.write(stream, chunk),
    signal: deadline.signal,
  });
  const heard = follower.end();
  if (exitCode !== 0) throw diagnoseOwnEnding({ ...heard, exitCode, dockerfile, lastLines: reporter.lastLines });
}

async function buildLocally(
  { reporter, mask, deadline }: ImageBuildInput,
  { engine }: Extract<Place, { kind: 'local' }>,
  context: OwnContext,
  name: string,
  wanted: WantedImage,
): Promise<void> {
  const { signal } = deadline;
  const follower = new OutputFollower(engine.kind, reporter, mask);
  const { exitCode, stopped } = await runCommand({
    argv: localOwnBuild(engine, context, name, wanted.own),
    cwd: '/',
    env: engine.env,
    signal,
    onOutput: (stream, chunk) => follower.write(stream, chunk),
  });
  const heard = follower.end();
  if (stopped) signal.throwIfAborted();
  const { dockerfile } = context;
  if (exitCode !== 0) throw diagnoseOwnEnding({ ...heard, exitCode, dockerfile, lastLines: reporter.lastLines });
}

function describeArguments({ dockerfile, buildArgs }: OwnContext): string {
  const names = Object.keys(buildArgs);
  const given = names.length === 0 ? 'It names no variable by ARG.' : `By ARG it gets ${names.join(', ')}.`;
  return `Building the repository's own ${dockerfile}. ${given}`;
}

/** Of the finished image: what its author should look at. */
function warningsOf({ dockerfile, facts }: OwnContext): string[] {
  return [...facts.mounts]
    .filter((type) => type === 'secret' || type === 'ssh')
    .map((type) => `${dockerfile}: "RUN --mount=type=${type}" is given nothing; name a variable by ARG instead.`);
}
