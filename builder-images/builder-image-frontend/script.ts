import { beginBuild } from '../shared/begin.ts';

/** The frontend builder after main.sh: fetches, and loads meanwhile what installs, builds and publishes. */
const beginning = beginBuild();
beginning.catch(() => undefined); // run() tells
void import('./run.ts').then(({ runFrontendBuilder }) => runFrontendBuilder(beginning));
