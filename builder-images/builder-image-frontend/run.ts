import { FrontendEnvSchema } from '../../contract/builder-env.ts';
import type { Begun } from '../shared/begin.ts';
import { main, runBuilder } from '../shared/entry.ts';
import { ImageEnvSchema } from '../shared/env.ts';
import { createPublisher } from './publisher.ts';
import { build } from './utils/build.ts';

/** Runs a builder that has begun to its end, and ends the process. */
export const run = (beginning: Promise<Begun>) =>
  main(async () =>
    runBuilder({ job: FrontendEnvSchema, image: ImageEnvSchema, publisher: createPublisher, build }, await beginning),
  );
