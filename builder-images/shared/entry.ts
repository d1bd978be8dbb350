import { rm, writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { BackendEnv, FrontendEnv } from '../../contract/builder-env.ts';
import type { Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import type { Artifact } from '../../contract/record.ts';
import { signalGroup } from './command.ts';
import { Deadline, within } from './deadline.ts';
import { type ImageEnv, parseEnv, readHandover } from './env.ts';
import { asFault, exitCodeOf, toFailure } from './fault.ts';
import { openHandover } from './handover.ts';
import { kafkaTransport } from './kafka.ts';
import { createMasker, type Masker, secretsOf } from './masker.ts';
import { Reporter } from './reporter.ts';

/** What a builder's phases work with. */
export interface BuildInput<Env> {
  readonly env: Env;
  /** The environment as it was handed over. */
  readonly raw: Readonly<Record<string, string>>;
  readonly mask: Masker;
  readonly reporter: Reporter;
  readonly deadline: Deadline;
  readonly now: () => number;
}

export interface Built {
  readonly artifact: Artifact;
  /** For when the result has been told: keeps what the next build may start from. No visitor waits for it. */
  readonly saveCaches?: (signal: AbortSignal) => Promise<void>;
}

const SAVE_MS = 120_000;

export interface Builder<Env extends z.ZodType, Image extends z.ZodType> {
  readonly job: Env;
  readonly image: Image;
  readonly publisher: (env: z.output<Env>, mask: Masker, now: () => number) => Reporter;
  /** All four phases. Throws `PhaseFault` or `VerenError`; `deadline.phase` tells in which. */
  readonly build: (input: BuildInput<z.output<Env>> & { readonly image: z.output<Image> }) => Promise<Built>;
}

/**
 * A builder's voice: its phases and result on `build-events`, its output on `build-logs`. Connects in the background; a
 * broker that is away costs log lines at worst, never the build. Trouble goes to our own stderr, once a minute.
 */
export function createReporter(
  target: Target,
  env: FrontendEnv | BackendEnv,
  mask: Masker,
  now: () => number,
): Reporter {
  let told = Number.NEGATIVE_INFINITY;
  return new Reporter({
    identity: { deploymentId: env.DEPLOYMENTID, projectId: env.PROJECT_ID, target, attempt: env.ATTEMPT },
    transport: kafkaTransport(env, env.DEPLOYMENTID),
    mask,
    now,
    onTrouble: (error) => {
      if (now() - told < 60_000) return;
      told = now();
      console.error(mask(`veren: the broker does not take messages: ${(error as Error).message}`));
    },
  });
}

/** A builder after main.sh, from its environment to its last event. Resolves to the exit code. */
export async function runBuilder<Env extends z.ZodType<FrontendEnv | BackendEnv>, Image extends z.ZodType<ImageEnv>>(
  builder: Builder<Env, Image>,
): Promise<number> {
  const given = readHandover(process.env);
  const { raw, claimed } = await openHandover(given).catch((error) => {
    endFetch(given);
    throw error;
  });
  await giveGitToken(raw);
  const { job: env, image } = parseEnv(raw, builder.job, builder.image);
  const now = () => Date.now();
  const mask = createMasker(secretsOf(env));
  const reporter = builder.publisher(env, mask, now);
  const deadline = new Deadline(env.BUILD_TIMEOUT);
  const waitMs = image.VEREN_REPORT_WAIT * 1_000;
  let exitCode = 0;
  let told: boolean;
  try {
    await claimed.catch((error) => {
      endFetch(raw);
      throw error;
    });
    const { artifact, saveCaches } = await builder.build({ env, image, raw, mask, reporter, deadline, now });
    deadline.clear();
    told = await reporter.succeeded(artifact, waitMs);
    console.log(`veren: published ${describe(artifact)}`);
    if (saveCaches)
      await within(SAVE_MS, deadline.signal, saveCaches).catch((error: Error) =>
        console.error(mask(`veren: no cache was kept: ${error.message}`)),
      );
  } catch (error) {
    deadline.clear();
    const fault = asFault(error, (reason) => new VerenError('PUBLISH_FAILED', { reason: mask(reason) }));
    exitCode = exitCodeOf(fault.error);
    console.error(mask(`veren: ${deadline.phase} failed: ${fault.error.code}: ${fault.message}`));
    told = await reporter.failed(toFailure(fault, deadline.phase, mask), waitMs);
  }
  if (!told) console.error('veren: the broker did not take the result; the exit code tells it');
  await reporter.close();
  await rm(image.VEREN_WORK, { recursive: true, force: true }).catch(() => undefined);
  return exitCode;
}

/** main.sh's fetch waits for the token, where there is one, of the hand-over. */
async function giveGitToken({ HANDOVER_GIT_TOKEN: pipe, GIT_TOKEN = '' }: Readonly<Record<string, string>>) {
  if (pipe !== undefined) await writeFile(pipe, GIT_TOKEN);
}

const endFetch = ({ VEREN_FETCH_PID: pid }: Readonly<Record<string, string>>) =>
  pid === undefined ? undefined : signalGroup(Number(pid), 'SIGKILL');

const describe = (artifact: Artifact) =>
  artifact.kind === 'static' ? `${artifact.files} files` : `${artifact.uri}@${artifact.digest}`;

/** Runs the builder and ends the process with its exit code. */
export function main(run: () => Promise<number>): void {
  run().then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      const known = error instanceof VerenError;
      console.error(`veren: ${known ? error.message : (error as Error).stack}`);
      process.exit(known ? exitCodeOf(error) : 1);
    },
  );
}
