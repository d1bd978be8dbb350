import { begin } from '../shared/begin.ts';

/** The frontend builder after main.sh: fetches, and loads meanwhile what installs, builds and publishes. */
const beginning = begin();
beginning.catch(() => undefined); // run() tells
void import('./run.ts').then(({ run }) => run(beginning));
