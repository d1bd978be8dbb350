import { BackendEnvSchema } from '../../contract/builder-env.ts';
import { main, runBuilder } from '../shared/entry.ts';
import { createPublisher } from './publisher.ts';
import { build } from './utils/build.ts';
import { BackendImageEnvSchema } from './utils/env.ts';

/** The backend builder after main.sh: follows the fetch, has an image made of the commit, publishes it. */
main(() =>
  runBuilder({
    job: BackendEnvSchema,
    image: BackendImageEnvSchema,
    publisher: createPublisher,
    build,
  }),
);
