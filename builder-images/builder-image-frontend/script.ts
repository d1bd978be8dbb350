import { FrontendEnvSchema } from '../../contract/builder-env.ts';
import { main, runBuilder } from '../shared/entry.ts';
import { ImageEnvSchema } from '../shared/env.ts';
import { createPublisher } from './publisher.ts';
import { build } from './utils/build.ts';

/** The frontend builder after main.sh: follows the fetch, installs, builds, publishes. */
main(() => runBuilder({ job: FrontendEnvSchema, image: ImageEnvSchema, publisher: createPublisher, build }));
