import type { Archive } from '../archive.ts';
import type { LogChannel } from '../ports.ts';
import { readLogPages } from './followLog.ts';

/** Writes a deployment's log into the archive, from the hot log or, where that is gone, from what the archive has. */
export const makeLogArchiver =
  (deps: { readonly logs: LogChannel; readonly archive: Archive }) =>
  (deploymentId: string): Promise<void> =>
    deps.archive.writeLog(deploymentId, readLogPages(deps, deploymentId, 0));
