import { rm } from 'node:fs/promises';
import { FrontendEnvSchema } from '../../contract/builder-env.ts';
import { VerenError } from '../../contract/errors.ts';
import { Deadline } from '../shared/deadline.ts';
import { ImageEnvSchema, parseEnv, readHandover } from '../shared/env.ts';
import { asFault, exitCodeOf, toFailure } from '../shared/fault.ts';
import { createMasker, secretsOf } from '../shared/masker.ts';
import { createPublisher } from './publisher.ts';
import { build } from './utils/build.ts';

/** What the next build may start from is kept when this one's result is known; no visitor waits for it. */
const SAVE_MS = 120_000;

/** The frontend builder after main.sh: follows the fetch, installs, builds, publishes. Resolves to the exit code. */
async function main(): Promise<number> {
  const raw = readHandover(process.env);
  const { job: env, image } = parseEnv(raw, FrontendEnvSchema, ImageEnvSchema);
  const now = () => Date.now();
  const mask = createMasker(secretsOf(env));
  const reporter = createPublisher(env, mask, now);
  const deadline = new Deadline(env.BUILD_TIMEOUT);
  const waitMs = image.VEREN_REPORT_WAIT * 1_000;
  let exitCode = 0;
  let told: boolean;
  try {
    const { artifact, saveCaches } = await build({ env, image, raw, mask, reporter, deadline, now });
    deadline.clear();
    told = await reporter.succeeded(artifact, waitMs);
    console.log(`veren: published ${artifact.kind === 'static' ? artifact.files : 0} files`);
    const until = AbortSignal.any([deadline.signal, AbortSignal.timeout(SAVE_MS)]);
    await saveCaches(until).catch((error: Error) => console.error(mask(`veren: no cache was kept: ${error.message}`)));
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

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const known = error instanceof VerenError;
    console.error(`veren: ${known ? error.message : (error as Error).stack}`);
    process.exit(known ? exitCodeOf(error) : 1);
  },
);
