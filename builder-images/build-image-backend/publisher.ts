import type { BackendEnv } from '../../contract/builder-env.ts';
import { createReporter } from '../shared/entry.ts';
import type { Masker } from '../shared/masker.ts';
import type { Reporter } from '../shared/reporter.ts';

/** The backend builder's voice on the builders' topics. */
export const createPublisher = (env: BackendEnv, mask: Masker, now: () => number): Reporter =>
  createReporter('backend', env, mask, now);
