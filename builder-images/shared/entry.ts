import { rm } from 'node:fs/promises';
import type { z } from 'zod';
import type { BackendEnv, FrontendEnv } from '../../contract/builder-env.ts';
import type { Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import type { Artifact } from '../../contract/record.ts';
import type { Begun } from './begin.ts';
import { Deadline, runWithin } from './deadline.ts';
import { type ImageEnv, parseEnv } from './env.ts';
import { asFault, exitCodeOf, toFailure } from './fault.ts';
import { type Fetching, unusableVariables } from './fetch.ts';
import { stopFetch } from './fetched.ts';
import { kafkaTransport } from './kafka.ts';
import { createMasker, type Masker, namedSecretsOf, secretsOf } from './masker.ts';
import { logOwn, nameBuild, nameTarget } from './own-log.ts';
import { removeTree } from './processes.ts';
import { Reporter } from './reporter.ts';
import { readTraffic } from './traffic.ts';

/** What the phases of a builder get. */
export interface BuilderRunInput<Env> {
  readonly env: Env;
  /** The environment as it was handed over. */
  readonly raw: Readonly<Record<string, string>>;
  /** The fetch, which has run since the builder started; see `fetched.ts`. */
  readonly fetching: Fetching;
  readonly mask: Masker;
  readonly reporter: Reporter;
  readonly deadline: Deadline;
  readonly now: () => number;
}

export interface Built {
  readonly artifact: Artifact;
  /** What was built is stored, and not published by the builder. */
  readonly stored?: boolean;
  /** Runs after the result was reported: saves caches for the next build, for which no visitor has to wait. */
  readonly saveCaches?: (signal: AbortSignal) => Promise<void>;
}

const SAVE_MS = 120_000;

export interface BuilderProgram<Env extends z.ZodType, Image extends z.ZodType> {
  readonly job: Env;
  readonly image: Image;
  readonly publisher: (env: z.output<Env>, mask: Masker, now: () => number) => Reporter;
  /** All four phases. Throws `PhaseFault` or `VerenError`; `deadline.phase` tells in which. */
  readonly build: (input: BuilderRunInput<z.output<Env>> & { readonly image: z.output<Image> }) => Promise<Built>;
}

/**
 * The reporter of a builder: phases and result go to `build-events`, output to `build-logs`. It connects in the
 * background; without a broker a build loses log lines at worst. Faults are logged on the builder's own stderr, once a
 * minute.
 */
export function createReporter(
  target: Target,
  env: FrontendEnv | BackendEnv,
  mask: Masker,
  now: () => number,
): Reporter {
  nameTarget(target);
  let told = Number.NEGATIVE_INFINITY;
  return new Reporter({
    identity: {
      deploymentId: env.DEPLOYMENTID,
      projectId: env.PROJECT_ID,
      target,
      attempt: env.ATTEMPT,
      ...(env.CORRELATION_ID !== undefined && { correlationId: env.CORRELATION_ID }),
    },
    transport: kafkaTransport(env, env.DEPLOYMENTID),
    mask,
    now,
    onTrouble: (error) => {
      if (now() - told < 60_000) return;
      told = now();
      logOwn('WARN', 'The broker does not take messages', { reason: mask((error as Error).message) });
    },
  });
}

/**
 * Removes the work folder after all processes are dead that could replace a folder by a link meanwhile. After Kaniko no
 * program of the system can be used, since the system is another one then; otherwise `rm` is used, since Node's own
 * function fails at long paths and at names that are not UTF-8.
 */
async function removeWork({ work, sandbox }: Fetching, { VEREN_KANIKO }: Begun['raw']): Promise<void> {
  try {
    await sandbox.killAll();
    if (VEREN_KANIKO === undefined) await removeTree(work);
    else await rm(work, { recursive: true, force: true });
  } catch (error) {
    logOwn('WARN', 'The work folder could not be removed', { reason: (error as Error).message });
  }
}

/** Throws `VerenError('BUILDER_MISCONFIGURED')` with every fault, and then leaves no work folder. */
async function checkEnvironment<Env extends z.ZodType, Image extends z.ZodType>(
  { raw, fetching }: Begun,
  builder: Pick<BuilderProgram<Env, Image>, 'job' | 'image'>,
) {
  try {
    const parsed = parseEnv({ VEREN_WORK: '/', ...raw }, builder.job, builder.image);
    if (fetching) return { ...parsed, fetching };
    const reason = `${unusableVariables(raw).join(', ')} cannot be used`;
    throw new VerenError('BUILDER_MISCONFIGURED', { reason });
  } catch (error) {
    if (fetching) {
      await stopFetch(fetching);
      await removeWork(fetching, raw);
    }
    throw error;
  }
}

/** A builder from its environment to its last event. Resolves to the exit code. */
export async function runBuilder<Env extends z.ZodType<FrontendEnv | BackendEnv>, Image extends z.ZodType<ImageEnv>>(
  builder: BuilderProgram<Env, Image>,
  begun: Begun,
): Promise<number> {
  const { raw } = begun;
  nameBuild(raw);
  const { job: env, image, fetching } = await checkEnvironment(begun, builder);
  const readClock = () => Date.now();
  const mask = createMasker(secretsOf(env), namedSecretsOf(env));
  const reporter = builder.publisher(env, mask, readClock);
  // Set by ECS in every container: the interfaces are this task's own.
  if (raw.ECS_CONTAINER_METADATA_URI_V4 !== undefined) reporter.countTraffic(() => readTraffic());
  const deadline = new Deadline(env.BUILD_TIMEOUT);
  begun.releaseSignals();
  const waitMs = image.VEREN_REPORT_WAIT * 1_000;
  let exitCode = 0;
  let told: boolean;
  try {
    // The fetch that runs meanwhile executes no code of the repository.
    await Promise.race([begun.claimed, rejectWhenStopped(deadline.signal)]).catch(async (error: unknown) => {
      await stopFetch(fetching);
      throw error;
    });
    const { artifact, stored, saveCaches } = await builder.build({
      env,
      image,
      raw,
      fetching,
      mask,
      reporter,
      deadline,
      now: readClock,
    });
    deadline.clear();
    told = await (stored ? reporter.stored(artifact, waitMs) : reporter.succeeded(artifact, waitMs));
    logOwn('INFO', stored ? 'The build was stored' : 'The build was published', {
      artifact: describeArtifact(artifact),
    });
    if (saveCaches)
      await runWithin(SAVE_MS, deadline.signal, saveCaches).catch((error: Error) =>
        logOwn('WARN', 'No cache was kept', { reason: mask(error.message) }),
      );
  } catch (error) {
    deadline.clear();
    const fault = asFault(error, (reason) => new VerenError('PUBLISH_FAILED', { reason: mask(reason) }));
    exitCode = exitCodeOf(fault.error);
    const { code } = fault.error;
    logOwn('ERROR', 'The build failed', { phase: deadline.phase, code, exitCode, reason: mask(fault.message) });
    told = await reporter.failed(toFailure(fault, deadline.phase, mask), waitMs);
  }
  if (!told) logOwn('ERROR', 'The broker did not take the result, which the exit code tells instead', { exitCode });
  await reporter.close();
  await removeWork(fetching, raw);
  return exitCode;
}

/** Rejects with the signal's reason. */
const rejectWhenStopped = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

function describeArtifact(artifact: Artifact): string {
  if (artifact.kind === 'static') return `${artifact.files} files`;
  return artifact.kind === 'folder' ? `${artifact.bytes} bytes` : `${artifact.uri}@${artifact.digest}`;
}

/** Runs the builder and ends the process with its exit code. */
export function runToExit(run: () => Promise<number>): void {
  run().then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      const known = error instanceof VerenError;
      logOwn('ERROR', 'The builder could not run', known ? { code: error.code, reason: error.message } : { error });
      process.exit(known ? exitCodeOf(error) : 1);
    },
  );
}
