import { BackendEnvSchema } from '../../contract/builder-env.ts';
import { begin } from '../shared/begin.ts';
import { main, runBuilder } from '../shared/entry.ts';
import { createPublisher } from './publisher.ts';
import { build } from './utils/build.ts';
import { BackendImageEnvSchema } from './utils/env.ts';

/** The backend builder after main.sh: fetches the commit, has an image made of it, publishes it. */
main(async () =>
  runBuilder({ job: BackendEnvSchema, image: BackendImageEnvSchema, publisher: createPublisher, build }, await begin()),
);
