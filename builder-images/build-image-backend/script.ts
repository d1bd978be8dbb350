import { BackendEnvSchema } from '../../contract/builder-env.ts';
import { beginBuild } from '../shared/begin.ts';
import { runBuilder, runToExit } from '../shared/entry.ts';
import { createPublisher } from './publisher.ts';
import { buildImage } from './utils/build.ts';
import { BackendImageEnvSchema } from './utils/env.ts';

/** The backend builder after main.sh: fetches the commit, has an image made of it, publishes it. */
runToExit(async () =>
  runBuilder(
    { job: BackendEnvSchema, image: BackendImageEnvSchema, publisher: createPublisher, build: buildImage },
    await beginBuild(),
  ),
);
