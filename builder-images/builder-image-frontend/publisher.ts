import type { FrontendEnv } from '../../contract/builder-env.ts';
import { createReporter } from '../shared/entry.ts';
import type { Masker } from '../shared/masker.ts';
import type { Reporter } from '../shared/reporter.ts';

/** The frontend builder's voice on the builders' topics. */
export const createPublisher = (env: FrontendEnv, mask: Masker, now: () => number): Reporter =>
  createReporter('frontend', env, mask, now);
