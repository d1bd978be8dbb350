import type { Archive } from '../archive.ts';
import type { LogChannel } from '../ports.ts';
import { readLogPages } from './followLog.ts';

/** Writes a deployment's log into the archive, from Redis or, where it is no longer there, from the archive itself. */
export const makeLogArchiver =
  (deps: { readonly logs: LogChannel; readonly archive: Archive }) =>
  (deploymentId: string): Promise<void> =>
    deps.archive.writeLog(deploymentId, readLogPages(deps, deploymentId, 0));
