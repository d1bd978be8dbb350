import { FrontendEnvSchema } from '../../contract/builder-env.ts';
import type { Begun } from '../shared/begin.ts';
import { runBuilder, runToExit } from '../shared/entry.ts';
import { ImageEnvSchema } from '../shared/env.ts';
import { createPublisher } from './publisher.ts';
import { buildSite } from './utils/build.ts';

/** Runs a builder that has begun to its end, and ends the process. */
export const runFrontendBuilder = (beginning: Promise<Begun>) =>
  runToExit(async () =>
    runBuilder(
      { job: FrontendEnvSchema, image: ImageEnvSchema, publisher: createPublisher, build: buildSite },
      await beginning,
    ),
  );
